"""look.py CHROMIUM AXE.js < {"pages": [...], "widths": [...], "schemes": [...], "shots": folder or null}
Opens each page at each width in each colour scheme; prints a JSON array of what is wrong or odd:
axe's violations, a page wider than its window, requests, words on the console."""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

chromium, axe = sys.argv[1:3]
wanted = json.load(sys.stdin)
judge = Path(axe).read_text()
seen = []
with sync_playwright() as p:
    # root has no user namespaces to sandbox in; a small /dev/shm crashes the renderer
    browser = p.chromium.launch(
        executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
    )
    for width in wanted["widths"]:
        for scheme in wanted["schemes"]:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            for url in wanted["pages"]:
                page, requests, words = context.new_page(), [], []
                page.on("request", lambda r: requests.append(r.url))
                page.on("console", lambda m: words.append(m.text))
                page.goto(url)
                found = page.evaluate("source => { (0, eval)(source); return axe.run() }", judge)
                seen.append(
                    {
                        "page": url,
                        "width": width,
                        "scheme": scheme,
                        "overflow": page.evaluate(
                            "document.documentElement.scrollWidth - innerWidth"
                        ),
                        "requests": [r for r in requests if r != url and not r.startswith("data:")],
                        "console": words,
                        "checked": len(found["passes"]),
                        "violations": [
                            f"{v['id']}: {n['html'][:200]} {n.get('failureSummary', '')[:300]}"
                            for v in found["violations"]
                            for n in v["nodes"]
                        ],
                    }
                )
                if wanted.get("shots"):
                    name = f"{Path(url).stem}-{width}-{scheme}.png"
                    page.screenshot(path=str(Path(wanted["shots"]) / name), full_page=True)
                page.close()
            context.close()
    browser.close()
json.dump(seen, sys.stdout)
