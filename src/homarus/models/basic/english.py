"""English: how requests are phrased. Another language is another Language value of the same shape."""

from __future__ import annotations

from homarus.models.basic.intent import Language, Rule

_LONG = 100_000
"""Characters of rules that take a text and are read in one pass."""

_FILE = r"(?P<path>[^\n]+?)"
_THE_FILE = (
    r"(?:(?:the |my |a )?(?:contents? of |text of )?(?:the |my |a )?(?:files? |note |document )?(?:called |named )?)"
)
_ALL = r"(?:me |us )?(?:(?:a |the )?list of |what is in |what's in )?(?:all |of |the |my |our |your )*"
_FILES = (
    r"(?:workspace |project )?(?:files?|folders?|director(?:y|ies)(?: listing)?|contents?|documents|notes|"
    r"files and folders|folder contents)"
)
_IN = (
    r"(?: (?:in|of|from|inside|under|at) (?:the |my |your )?(?:folder |directory )?(?P<path>[^\n]+?)(?: folder|"
    r" directory)?)?"
)
_CONTENT = r"(?:with(?: the)?(?: text| contents?| words)?|containing|saying|that says|:)[:,]? *(?P<content>.+)"
_NOTE_TO = r"(?:(?:in|to|into) (?P<path>\S+\.\w{1,8})|(?:called|named) (?P<name>[^\n:]{1,80}?))"

_ACT = (
    Rule("exec", r"[$!] ?(?P<command>\S.*)", is_verbatim=True, max_length=_LONG),
    Rule("exec", r"(?:run|execute|exec|bash|sh|shell)(?: the| this)?(?: shell)?(?: commands?)?(?::|\s)\s*(?P<command>"
         r"```.*```|`[^`]+`)[.?! ]*"
         r"(?:please|thanks|thank you|,? ?(?:and|then) (?:tell|show|give) [^`]{1,200})?[.?! ]*",
         is_verbatim=True, max_length=_LONG),
    Rule("exec", r"(?:run|execute|exec)(?: the| this)?(?: shell)?(?: commands?)?(?::|\s)\s*(?P<command>\S.*?)"
         r"(?:,? please)?", is_verbatim=True, max_length=_LONG),
    Rule("note", r"(?:write|make|take|add|save|create|leave|jot down)(?: me)? (?:a |an |the )?(?:new |short |"
         r"quick )?note "
         rf"{_NOTE_TO}(?::|,| that| saying| with(?: the)?(?: text| content)?| containing)+\s*(?P<content>.+)",
         is_verbatim=True, max_length=_LONG),
    Rule("note", r"(?:write|make|take|add|save|create|leave|jot down)(?: me)? (?:a |an |the )?(?:new |short |"
         r"quick )?note"
         r"(?::|,| to self:?| that says:?| saying:?| that| about| with(?: the)?(?: text|"
         r" content)?:?)?\s+(?P<content>.+)",
         is_verbatim=True, max_length=_LONG),
    Rule("note", r"(?:note|note to self|note down|jot down|write down)(?:\s*:|\s+that|\s)\s*(?P<content>.+)",
         is_verbatim=True, max_length=_LONG),
    Rule("write", r"(?:create|make|write|save|add)(?: me)? (?:a |an |the )?(?:new )?(?:text )?file"
         rf"(?: called| named)? (?P<path>\"[^\"]+\"|'[^']+'|`[^`]+`|\S+?),?\s*(?:and (?:put|write) (?P<content2>.+) "
         rf"(?:in|into) it|{_CONTENT})", is_verbatim=True, max_length=_LONG),
    Rule("write", r"(?:write|save|put) (?P<content>.+) (?:to|into|in) (?:the |a )?(?:new )?(?:file )?(?:called |"
         r"named )?"
         r"(?P<path>\"[^\"]+\"|'[^']+'|`[^`]+`|[\w./-]+\.\w{1,8})[.! ]*", is_verbatim=True, max_length=8000),
    Rule("write", r"(?:create|make|add)(?: me)? (?:a |an |the )?(?:new )?(?:empty )(?:text )?file(?: called| named)? "
         r"(?P<path>\"[^\"]+\"|'[^']+'|`[^`]+`|\S+?)[.! ]*", is_verbatim=True, max_length=_LONG),
    Rule("edit", r"(?:replace|change|edit|swap) (?P<old>\".+?\"|'.+?'|`.+?`|.+?) (?:with|to|by|into|for) "
         r"(?P<new>\".*?\"|'.*?'|`.*?`|.+?) in (?:the )?(?:file )?(?P<path>\"[^\"]+\"|`[^`]+`|\S+?)[.! ]*",
         is_verbatim=True, max_length=1000),
    Rule("remember", r"(?:remember|memorize|memorise|don't forget|do not forget|keep in mind)(?: that|:)?\s+"
         r"(?!what|anything|everything|me\b)(?P<fact>.+)", is_verbatim=True, max_length=_LONG),
)  # fmt: skip

_ASK = (
    Rule(
        "read",
        r"(?:show|read|print|display|give|get)(?: me)? (?:the )?(?:contents?|text) of (?:the )?(?:file )?"
        r"(?P<path>\S+\.\w{1,8}|[`\"'][^`\"'\n]+\.\w{1,8}[`\"'])",
    ),
    Rule("list", r"ls|dir|files|list|list files"),
    Rule("list", r"(?:ls|dir) (?!-)(?P<path>\S+)"),
    Rule("list", rf"(?:list|show|give|get|print|display|see|view|tell) {_ALL}{_FILES}{_IN}"
         r"(?: (?:here|there|i have|do i have|are there|exist))*"),
    Rule("list", rf"(?:what|which) (?:{_FILES}|is there|stuff) (?:are|do (?:i|you|we) have|exist|is|(?:can|do) you see)"
         rf"(?: there| here)*{_IN}(?: there| here)*"),
    Rule("list", r"(?:list|show)(?: me)? (?:the )?(?:folder|directory) (?P<path>\S+)"),
    Rule("list", r"what(?:'s| is)(?: there)? in (?:the |my |your |this )?(?:folder |directory )(?P<path>\S+)"),
    Rule("list", r"(?:what(?:'s| is)(?: there)? in|look (?:in|at|into)|list|show(?: me)?) (?:the |my |your |this |of )*"
         r"(?:workspace|folder|directory|current folder|working directory)"),
    Rule("list", r"(?:list|ls) (?:the )?(?P<path>[\w.-]+/[\w./-]*)"),
    Rule("recall", r"what(?: else)? (?:do|can|did) you (?:know|remember|recall)(?: about| of| on) (?P<query>.+)"),
    Rule("recall", r"(?:recall|look up|search (?:your |my )?memor(?:y|ies) for|search for|find in memory)"
         r"(?: about| what you know about)?:? (?P<query>.+)"),
    Rule("recall", r"(?:do you (?:know|remember|recall)|what did i (?:tell|say)(?: to)?(?: you)?(?: about)?|"
         r"have i told you)(?: about| what)? (?P<query>.+)"),
    Rule("memories", r"what (?:do|can) you (?:know|remember|recall)|(?:list|show)(?: me)?(?: all)?(?: your| my| the)?"
         r" (?:memories|memory)|recall"),
    Rule("time", r"(?:what(?:'s| is)(?: the)? (?:current |exact |local )?time(?: is it)?|what time is it|time|the time|"
         r"(?:tell|give|show) me the (?:current )?time|how late is it|do you (?:have|know) the time|"
         r"what (?:is the )?time(?: is it)?)(?: now| right now| today| here)*"),
    Rule("date", r"(?:what(?:'s| is)(?: the)?(?: current)? (?:date|day)(?: is it)?|what (?:day|"
         r"date)(?: of the week)? is "
         r"(?:it|today|this)|what is today|date|today|(?:tell|give|show) me (?:the |today's )date|"
         r"what(?:'s| is) today(?:'s date)?|date and time|what(?:'s| is) the date and (?:the )?time)"
         r"(?: now| right now| today)*"),
    Rule("status", r"(?:(?:session |your |show |show me |give me |tell me |what(?:'s| is) )*(?:the |your |my )?"
         r"(?:session )?status(?: report)?|how are you (?:configured|set up)|usage)"),
    Rule("model", r"(?:how (?:do|can|would) i |how to |help me (?:to )?|i want to )?(?:connect|add|use|set up|"
         r"setup|configure|"
         r"install|enable|change|switch(?: to)?|get) (?:a |an |the |to |another |my )*(?:real |language |"
         r"different |other )*"
         r"(?:models?|llms?|providers?|ai|api keys?|openai|ollama|llama\.?cpp|openrouter)(?: model| key| models)*"),
    Rule("model", r"(?:what|which) (?:\w+ )?(?:model|llm|ai)(?: are you| is this| do you use| are you using| is it)*"),
    Rule("about", r"(?:who|what) are you|what(?:'s| is) your name|are you (?:a |an )?(?:real |human|bot|robot|ai|llm|"
         r"chatgpt|person|language model|there)(?: ai| person)?|introduce yourself|tell me about yourself"),
    Rule("help", r"(?:help|\?+|commands|menu|usage help|i need help|help me|how does this work|what next|"
         r"what (?:can|could|do) (?:you|i) (?:do|say|ask)(?: for me| here| with you| you)*|how can you help(?: me)?|"
         r"what are you able to do|what are your (?:skills|commands|abilities|capabilities)|how do i use (?:you|"
         r"this))"),
    Rule("thanks", r"(?:many |ok |okay |great,? |perfect,? )*(?:thanks|thank you|thx|ty|cheers)(?: a lot| so much|"
         r" very much| again)*"),
    Rule("greeting", r"(?:(?:hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|ping|test|"
         r"testing|hiya)(?:,? (?:homarus|there|all|everyone|bot|assistant|you|"
         r"friend))*[,!. ]*)+"
         r"(?:how are you(?: today| doing)*)?|how are you(?: today| doing)*|what's up|sup"),
    Rule("bye", r"(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|good ?night|cya|later)"),
    Rule("read", rf"(?:show|read|open|cat|print|display|view|get|give|see|look at|type)(?: me| out|"
         rf" us)*:? {_THE_FILE}{_FILE}"),
    Rule("read", rf"what(?:'s| is| does)(?: there| written)? (?:in|inside|the content of|"
         rf"the contents of) {_THE_FILE}{_FILE}"),
    Rule("read", rf"what does {_THE_FILE}{_FILE} (?:say|contain)"),
)  # fmt: skip

ENGLISH = Language(
    before=(
        r"\s*(?:hi|hello|hey|ok|okay|so|well|now|homarus|@homarus|assistant)[,:!]\s*|"
        r"(?:please|pls|kindly|just|quickly|then|and|also|hey|ok)[,:]?\s+|"
        r"(?:can|could|would|will|may|might) (?:you|i|we)(?: please| kindly| just| maybe)*\s+"
        r"(?:have you |ask you to )?|"
        r"(?:i(?:'d| would) like(?: you)? to|i want(?: you)? to|i need(?: you)? to|would you mind|let's|let us|"
        r"be so kind (?:as to|and)|are you able to|you should|go ahead and)(?: please| just)*\s+|"
        r"(?:show|tell)(?: me)? (?=(?:what|which) )"
    ),
    after=(
        r"[,\s](?:please|pls|thanks|thank you|thx|for me|if you can|if possible|right now|now|homarus|would you|"
        r"will you|could you|can you)"
    ),
    question=r"(?:can|could|would|will|may|might|are) (?:you|i|we) ",
    joiners=r"\s*(?:\n+|;|,? and then |,? then |,? and also |,? and |\. )\s*",
    rules=_ACT + _ASK,
)
