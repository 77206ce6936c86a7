"""Looks at pages in a browser as a citizen does; runs in playwright's own environment.

Reads one JSON object: `base`, `pages` (paths), `axe` (a file), `pasted` and `keys` (texts), `shots`
(a folder, or ""). Writes one: `violations`, `trouble` (console, failed or foreign requests),
`verdicts` by pasted text, `keys` as the script of the check page computes them, `wide` (pages that
scroll sideways), `pdf` (bytes of each page printed).
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

told = json.load(sys.stdin)
found = {"violations": [], "trouble": [], "verdicts": {}, "keys": {}, "wide": [], "pdf": {}}
axe = Path(told["axe"]).read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def watch(page):
    page.on("console", lambda m: m.type == "error" and found["trouble"].append(m.text))
    page.on("pageerror", lambda e: found["trouble"].append(str(e)))
    page.on(
        "request",
        lambda r: r.url.startswith(told["base"]) or found["trouble"].append(f"asked {r.url}"),
    )
    page.on(
        "response", lambda r: r.status >= 400 and found["trouble"].append(f"{r.status} {r.url}")
    )


def look(context, path, width, scheme):
    page = context.new_page()
    watch(page)
    page.goto(told["base"] + path)
    if told["shots"]:
        name = (path.strip("/").replace("/", "-") or "index") + f"-{width}-{scheme}.png"
        page.screenshot(path=str(Path(told["shots"]) / name), full_page=True)
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found["wide"].append(f"{path} {width}")
    page.evaluate(axe)  # through the debugger, which the pages' own policy does not bind
    result = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TAGS
    )
    for violation in result["violations"]:
        nodes = [node["html"][:200] for node in violation["nodes"]]
        found["violations"].append([path, width, scheme, violation["id"], nodes])
    page.close()


def paste(page, text):
    page.fill("#pasted", text)
    page.evaluate("document.querySelectorAll('#verdict > section').forEach(s => s.hidden = true)")
    page.click("button")
    page.wait_for_selector("#verdict > section:not([hidden])")
    shown = page.eval_on_selector_all(
        "#verdict > section:not([hidden])",
        "all => all.map(s => [s.id, s.querySelector('a.found')?.getAttribute('href') ?? ''])",
    )
    return shown


with sync_playwright() as p:
    # root has no user namespaces to sandbox in; a small /dev/shm crashes the renderer
    browser = p.chromium.launch(
        executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"]
    )
    for width in (390, 1280):
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=False
            )
            for path in told["pages"]:
                look(context, path, width, scheme)
            context.close()
    page = browser.new_page()
    watch(page)
    for path in told["pages"]:
        page.goto(told["base"] + path)
        found["pdf"][path] = len(page.pdf(format="A4"))
        if told["shots"]:
            name = (path.strip("/").replace("/", "-") or "index") + ".pdf"
            page.pdf(format="A4", path=str(Path(told["shots"]) / name))
    page.goto(told["base"] + "check/")
    found["verdicts"] = {text: paste(page, text) for text in told["pasted"]}
    found["keys"] = {text: page.evaluate("text => keyOf(text)", text) for text in told["keys"]}
    without = browser.new_context(java_script_enabled=False).new_page()
    without.goto(told["base"] + "check/")
    found["without_script"] = without.locator("form").is_hidden()
    browser.close()
json.dump(found, sys.stdout)
