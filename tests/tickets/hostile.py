"""Names that want to be more than names: 2,000 payloads, each a variation of a known trick."""

import random

SEEDS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)", "javascript:alert(1)", "https://evil.example/x",
    "www.evil.example", "<!-- comment -->", "<![CDATA[x]]>", "<?php x ?>",
    "</pre></div><h1>x</h1>", "&lt;b&gt;", "&#60;b>", "[code]<b>x</b>[/code]",
    "[CODE]<iframe src=//x>[/CODE]", "[ code ]x[ / code ]", "[code]", "{code}x{code}",
    "{noformat}", "{html}<b>{html}", "[~admin]", "[link|http://evil.example]",
    "!http://evil.example/x.png!", "*bold*", "_i_", "-strike-", "+ins+", "^sup^", "~sub~",
    "??cite??", "h1. Title", "bq. quote", "|| head ||", "| cell |", "----", "\\\\",
    "{color:red}x{color}", "{panel}", "@admin", "#1", "(/)", ":)", "^attachment.txt",
    "Owner: root", "Status: resolved", "CustomField.{Change-Key}: other", "Subject: x",
    "From: x@evil.example", "From x", ">From x", "-- ", "--boundary",
    "a\r\nBcc: all@evil.example", "a\nBcc: all@evil.example", "a\r\n\r\nbody", "=?utf-8?q?x?=",
    "=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "|x", "%x", '","x',
    'a"b', '"""', "'=1", "`code`", "```\nx\n```", "~~~", "# head", "> quote", "1. item",
    "1) item", "- item", "+ item", "* item", "===", "a\n===", "a\n---",
    "[x](javascript:alert(1))", "![x](http://evil.example/x.png)", "<http://evil.example>",
    "[x]: http://evil.example", "***", "| a | b |\n|---|---|\n| c | d |", "&nbsp;", "&copy;",
    "\\*", "a\\\nb", "    indented", "\tcode", '{"type":"link"}',
    '"}],"marks":[{"type":"strong"}', "</script>", "\u2028x", "\u2029x", "\x1b[2J",
    "\x1b]0;x\x07", "\x00", "\x08\x08\x08", "\x7f", "\x85x", "\u202etxt.exe", "\u200b", "\ufeff",
    "\ud800", "😀", "\u0430dmin", "é", "\xa0", "\xad", "\ufff9x\ufffb", "A" * 500, "", " ", "\n",
    "\n\n\n", "cucm01", "ca-2.pem", 'http://a.b/?x="y"&z=<w>', "mailto:a@b.example", "{{7*7}}",
    "{% raw %}", "${jndi:ldap://x}", "%s%n", "$(reboot)", "; reboot", "../../etc/passwd",
)  # fmt: skip
JOINTS = (
    "", " ", "\n", "\r\n", "\t", "\x00", "[", "]", "{", "}", "|", '"', "'", "<", ">", "&", "\\",
)  # fmt: skip
COUNT = 2000


def _payloads():
    chance = random.Random(20261123)  # noqa: S311 -- chance that can be repeated
    made = dict.fromkeys(SEEDS)
    while len(made) < COUNT:
        parts = [chance.choice(SEEDS) for _ in range(chance.randint(1, 3))]
        made[chance.choice(JOINTS).join([chance.choice(JOINTS), *parts, chance.choice(JOINTS)])] = (
            None
        )
    return tuple(made)


PAYLOADS = _payloads()
