"""Known providers as data: where they are, which environment variable holds their key, how they differ.

Addresses and differences are from the providers' own API documentation.
"""

from __future__ import annotations

from msgspec import Struct, field

from homarus.models.settings import Compat


class KnownProvider(Struct, frozen=True):
    """One provider. `key_name` is the environment variable of its key, None where no key is needed."""

    id: str
    name: str
    base_url: str
    key_name: str | None
    compat: Compat = field(default_factory=Compat)


_NEW_LIMIT = Compat(max_tokens_field="max_completion_tokens", supports_reasoning_effort=True)
_LOCAL = Compat(max_tokens_field="max_tokens", supports_reasoning_effort=False)

KNOWN_PROVIDERS: dict[str, KnownProvider] = {
    row.id: row
    for row in (
        KnownProvider(
            "openai",
            "OpenAI",
            "https://api.openai.com/v1",
            "OPENAI_API_KEY",
            Compat(max_tokens_field="max_completion_tokens", supports_store=True, supports_reasoning_effort=True),
        ),
        KnownProvider(
            "openrouter",
            "OpenRouter",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_KEY",
            Compat(max_tokens_field="max_tokens", thinking_format="openrouter"),
        ),
        KnownProvider("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", _NEW_LIMIT),
        KnownProvider(
            "mistral",
            "Mistral",
            "https://api.mistral.ai/v1",
            "MISTRAL_API_KEY",
            # Sends usage by itself and refuses fields it does not know.
            Compat(supports_usage_in_streaming=False, requires_mistral_tool_ids=True, requires_tool_result_name=True),
        ),
        KnownProvider("deepseek", "DeepSeek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
        KnownProvider("together", "Together AI", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        KnownProvider("fireworks", "Fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
        KnownProvider("xai", "xAI", "https://api.x.ai/v1", "XAI_API_KEY", _NEW_LIMIT),
        KnownProvider("cerebras", "Cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", _NEW_LIMIT),
        KnownProvider("moonshot", "Moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
        KnownProvider("zai", "Z.AI", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", Compat(thinking_format="zai")),
        KnownProvider(
            "qwen",
            "Qwen",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "DASHSCOPE_API_KEY",
            Compat(thinking_format="qwen"),
        ),
        KnownProvider("ollama", "Ollama", "http://127.0.0.1:11434/v1", None, _LOCAL),
        KnownProvider("llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1", None, _LOCAL),
        KnownProvider("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", None, _LOCAL),
        KnownProvider("vllm", "vLLM", "http://127.0.0.1:8000/v1", None, _LOCAL),
    )
}
"""Any other id is a custom provider: its `baseUrl` is required and the common protocol is assumed."""
