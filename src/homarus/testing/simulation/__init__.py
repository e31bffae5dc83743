"""The real pipeline in an unreal world: virtual time, a disk, a network and a model that fail by a seed."""
