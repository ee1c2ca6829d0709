# SPDX-License-Identifier: MIT
"""Sphinx extension that writes equations as MathML, which browsers draw without a script or a font of another host."""
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError


def mathml(node, is_block):
    """Returns the MathML of a formula.

    Raises:
        ExtensionError: if the formula has a command that docutils does not know.
    """
    try:
        return tex2mathml(node.astext(), as_block=is_block)
    except Exception as error:
        raise ExtensionError(f"{node.source}:{node.line}: the formula {node.astext()!r}: {error}") from error


def visit(translator, node, is_block):
    translator.body.append(mathml(node, is_block))
    raise nodes.SkipNode


def setup(app):
    inline = lambda translator, node: visit(translator, node, False)
    block = lambda translator, node: visit(translator, node, True)
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True}
