"""`agents.defaults.memorySearch`: the memory index."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from homarus.config.base import Count, Many, Positive, Section, section
from homarus.config.secret import Secret


class QmdCollection(Section):
    """One extra collection."""

    path: str
    """Folder of the collection."""
    name: str | None = None
    """Display name."""
    pattern: str | None = None
    """File pattern."""


class QmdBackend(Section):
    """Qmd backend."""

    extra_collections: Many[QmdCollection] = ()
    """Extra collections."""


class MediaIndex(Section):
    """Index images or audio."""

    enabled: bool | None = None
    """Turns this feature on or off."""
    modalities: Many[Literal["image", "audio", "all"]] = ()
    """Which media kinds."""
    max_file_bytes: Positive | None = None
    """Largest file indexed, bytes."""


class ExperimentalMemory(Section):
    """Unstable switches."""

    session_memory: bool | None = None
    """Index transcripts too."""


class EmbeddingBatch(Section):
    """Batch embedding jobs."""

    enabled: bool | None = None
    """Turns this feature on or off."""
    wait: bool | None = None
    """Wait for the batch."""
    concurrency: Positive | None = None
    """Batches at the same time."""
    poll_interval_ms: Count | None = None
    """Gap between polls, milliseconds."""
    timeout_minutes: Positive | None = None
    """Time limit, minutes."""


class RemoteEmbedder(Section):
    """Embedding service."""

    base_url: str | None = None
    """Service address."""
    api_key: Secret | None = None
    """Secret for the service."""
    headers: dict[str, str] = section()
    """Extra HTTP headers."""
    batch: EmbeddingBatch = section()
    """Batch embedding jobs."""


class LocalEmbedder(Section):
    """Local model settings."""

    model_path: str | None = None
    """Model file."""
    model_cache_dir: str | None = None
    """Model cache folder."""


class FullTextStore(Section):
    """Keyword index."""

    tokenizer: Literal["unicode61", "trigram"] | None = None
    """Keyword tokenizer."""


class VectorStore(Section):
    """Vector index."""

    enabled: bool | None = None
    """Turns this feature on or off."""
    extension_path: str | None = None
    """Sqlite extension file."""


class MemoryStore(Section):
    """Where the index lives."""

    driver: Literal["sqlite"] | None = None
    """Index engine."""
    path: str | None = None
    """Index file."""
    fts: FullTextStore = section()
    """Keyword index."""
    vector: VectorStore = section()
    """Vector index."""


class Chunking(Section):
    """Piece size."""

    tokens: Positive = 400
    """Tokens per piece."""
    overlap: Count = 80
    """Tokens repeated in the next piece."""


class SessionSync(Section):
    """When transcripts are indexed again."""

    delta_bytes: Count = 100_000
    """Transcript growth that triggers indexing."""
    delta_messages: Count = 50
    """Transcript growth that triggers indexing."""
    post_compaction_force: bool | None = None
    """Index after compaction."""


class MemorySync(Section):
    """Index refresh."""

    on_session_start: bool = True
    """Refresh when a session starts."""
    on_search: bool = True
    """Refresh before a search."""
    watch: bool = True
    """Watch files."""
    watch_debounce_ms: Count = 1500
    """Wait after a change, ms."""
    interval_minutes: Count | None = None
    """Periodic refresh."""
    sessions: SessionSync = section()
    """Session tool rules."""


class DiversityRanking(Section):
    """Diversity re-ranking."""

    enabled: bool = False
    """Turns this feature on or off."""
    lambda_: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Relevance versus diversity."""


class TemporalDecay(Section):
    """Older notes score lower."""

    enabled: bool = False
    """Turns this feature on or off."""
    half_life_days: Positive = 30
    """Days to half weight."""


class HybridQuery(Section):
    """Vector plus keyword."""

    enabled: bool = True
    """Turns this feature on or off."""
    vector_weight: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Weight of that part."""
    text_weight: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Weight of that part."""
    candidate_multiplier: Positive = 4
    """Candidates per wanted hit."""
    mmr: DiversityRanking = section()
    """Diversity re-ranking."""
    temporal_decay: TemporalDecay = section()
    """Older notes score lower."""


class MemoryQuery(Section):
    """Search settings."""

    max_results: Positive = 6
    """Most hits."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.35
    """Lowest score."""
    hybrid: HybridQuery = section()
    """Vector plus keyword."""


class EmbeddingCache(Section):
    """Cache of computed embeddings."""

    enabled: bool = True
    """Turns this feature on or off."""
    max_entries: Positive | None = None
    """Entry limit."""


class MemorySearch(Section):
    """Memory index settings."""

    enabled: bool = True
    """Turns this feature on or off."""
    sources: Many[Literal["memory", "sessions"]] = ("memory",)
    """What is indexed."""
    extra_paths: Many[str] = ()
    """Additional files or folders."""
    qmd: QmdBackend | None = None
    """Qmd backend."""
    multimodal: MediaIndex | None = None
    """Index images or audio."""
    experimental: ExperimentalMemory | None = None
    """Unstable switches."""
    provider: str | None = None
    """Provider id."""
    remote: RemoteEmbedder | None = None
    """Embedding service."""
    fallback: str | None = None
    """Provider used when the first fails."""
    model: str | None = None
    """Embedding model."""
    output_dimensionality: Positive | None = None
    """Embedding size."""
    local: LocalEmbedder | None = None
    """Local model settings."""
    store: MemoryStore = section()
    """Where the index lives."""
    chunking: Chunking = section()
    """Piece size."""
    sync: MemorySync = section()
    """Index refresh."""
    query: MemoryQuery = section()
    """Search settings."""
    cache: EmbeddingCache = section()
    """Cache of computed embeddings."""
