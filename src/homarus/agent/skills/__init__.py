"""Skills: folders with a SKILL.md that teach an agent a procedure, listed in its prompt and read when needed."""
