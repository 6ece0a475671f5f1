"""Conversion of HTML to plain text."""

import pytest

from shop.product_files.reading.html_to_text import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("  plain, 1 < 2\n text ", "  plain, 1 < 2\n text "),
        ("Tea &amp; Co &eacute;", "Tea & Co é"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<p>One<br>Two<br/>Three</p>\r\n\r\n\r\n<p>Four</p>", "One\nTwo\nThree\n\nFour"),
        ("<ul><li>a</li><li><b>b</b>  c</li></ul>", "- a\n- b c"),
        (
            "<table><tr><td>Size</td><td>M</td></tr><tr><th>Fit</th><td>Slim</td></tr></table>",
            "Size M\nFit Slim",
        ),
        (
            "<style>p{}</style><script>alert('<p>x</p>')</script>Safe<img src=x onerror=alert(1)>",
            "Safe",
        ),
        ("&lt;b&gt; <i>is</i> bold", "<b> is bold"),
        ("<p>never closed", "never closed"),
    ],
)
def test_html_is_converted_to_text(html, text):
    assert html_to_text(html) == text
