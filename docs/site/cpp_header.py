# SPDX-License-Identifier: MIT
"""Sphinx extension that replaces the block `cpp-header` of a page by the documented declarations of a C++ header.

It reads headers in the style of this project: `///` before a declaration, or `///<` after a member. It is no parser of C++. A
documented declaration that it cannot read ends the build.
"""
import re

from sphinx.errors import ExtensionError


class Declaration:
    """A declaration, its comment as lines of text, and the declarations inside it."""

    def __init__(self, code, comment, line):
        self.code, self.comment, self.line = code, comment, line
        self.members = []

    def directive(self):
        """Returns the name and the signature of the directive of Sphinx that shows the declaration."""
        code = re.sub(r"\s+", " ", self.code).strip()
        scope = re.match(r"(namespace|class|struct|enum class) (\w+(?:::\w+)*)(?: : public ([\w:]+))?$", code)
        if scope:
            kind, name, base = scope.groups()
            return kind.replace("enum class", "enum-class"), name + (f" : public {base}" if base else "")
        if "(" in code:
            return "function", code
        if re.search(r"\w[\w:<>, *]* \w+( = .+)?(\{\})?$", code):
            return "member", re.sub(r"\{\}$", "", code)
        raise ExtensionError(f"line {self.line}: cannot read the declaration {code!r}")


def parse(text):
    """Returns the declarations of a header.

    Members after `private:` are left out, and so are those without a comment, unless they are public members of a documented
    type.
    """
    top = Declaration("", [], 0)
    stack, comment, code, is_private = [top], [], "", []
    in_preamble = True
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if in_preamble and (not stripped or stripped.startswith(("#", "// "))):
            continue
        in_preamble = False
        if re.fullmatch(r"(public|private):", stripped):
            is_private[-1] = stripped == "private:"
            continue
        if stripped.startswith("///") and not stripped.startswith("///<"):
            comment.append(stripped[3:].removeprefix(" "))
            continue
        stripped, _, after = stripped.partition("///<")
        if after:
            comment.append(after.strip())
        stripped = re.sub(r"\s*//.*$", "", stripped).strip()
        if not stripped and not code:
            if not line.strip():
                comment = []
            continue
        code = f"{code} {stripped}".strip()
        if re.match(r"}( *;)?$", code):
            stack.pop()
            is_private.pop()
            code, comment = "", []
            continue
        if code.count("(") != code.count(")"):
            continue
        one_line = re.fullmatch(r"(enum class \w+) \{(.*)\};", code)
        if one_line:
            found = Declaration(one_line[1], comment, number)
            found.members = [Declaration(f"enumerator {name.strip()}", [], number) for name in one_line[2].split(",")]
        elif code.endswith("{"):
            found = Declaration(code[:-1].strip(), comment, number)
        elif code.endswith(";"):
            found = Declaration(code[:-1].strip(), comment, number)
        elif code.endswith("}"):  # a function with its body
            found = Declaration(code[:code.index("{")].strip(), comment, number)
        else:
            continue
        if not any(is_private) and not code.startswith("using "):
            stack[-1].members.append(found)
        if code.endswith("{"):
            stack.append(found)
            is_private.append(False)
        code, comment = "", []
    return top.members


def text_of(comment):
    """Returns a comment as reStructuredText: fields for parameters, the result and errors."""
    lines = []
    for line in comment:
        line = line.removeprefix(" ")  # lists are indented by one
        field = re.match(r"@(param|return|throws) +(.*)", line)
        if field:
            kind, rest = field.groups()
            name, _, about = rest.partition(" ")
            if kind == "param":
                line = f":param {name}: {about.strip()}"
            elif kind == "return":
                line = f":returns: {rest}"
            else:
                line = f":throws {name}: {about.strip()}"
            if lines and lines[-1] and not lines[-1].startswith((":", "    ")):
                lines.append("")
        elif lines and lines[-1].startswith((":", "    ")) and line:
            line = "    " + line
        elif line.startswith("* ") and lines and lines[-1] and not lines[-1].startswith(("* ", "  ")):
            lines.append("")
        lines.append(line)
    return [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


def rst(declarations, indent=""):
    """Yields lines of reStructuredText of declarations and their members."""
    for d in declarations:
        if d.code.startswith("enumerator "):
            kind, signature = "enumerator", d.code.split()[1]
        else:
            kind, signature = d.directive()
        inner = indent
        if kind == "namespace":
            yield f"{indent}.. cpp:namespace:: {signature}"
            yield ""
        else:
            yield f"{indent}.. cpp:{kind}:: {signature}"
            yield ""
            inner += "   "
        for line in text_of(d.comment):
            yield (inner + line).rstrip()
        yield ""
        yield from rst(d.members, inner)


def insert_declarations(app, name, source):
    """Replaces each block `cpp-header` of a page by the declarations of the header that it names."""
    source[0] = re.sub(r"^```\{cpp-header\} (.+)\n```$", lambda match: declarations(app, match[1]), source[0], flags=re.MULTILINE)


def declarations(app, header):
    """Returns a Markdown block of reStructuredText with the declarations of a header.

    Raises:
        ExtensionError: if the comment of a declaration was lost.
    """
    text = (app.srcdir / header).read_text()
    lines = "\n".join(rst(parse(text)))
    for tag, field in (("@throws", ":throws "), ("@param", ":param "), ("@return", ":returns:")):
        if lines.count(field) != text.count(tag):
            raise ExtensionError(f"{header}: has {text.count(tag)} {tag}, and the page {lines.count(field)}")
    return "```{eval-rst}\n" + lines + "\n```"


def setup(app):
    app.connect("source-read", insert_declarations)
    return {"parallel_read_safe": True}
