// SPDX-License-Identifier: MIT
#include "report/plot/page.hpp"

#include "report/plot/markup.hpp"
#include "report/plot/theme.hpp"

namespace popflow::report::plot {

namespace {

// Rules of the page. theme.hpp has those of drawings, and the colours.
constexpr const char* rules = R"css(
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0.4rem 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 0.4rem; overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 0.5rem; } h4 { font-size: 0.95rem; margin: 0 0 0.3rem; }
p, ul.notes { margin: 0.3rem 0 0.6rem; } p.soft, .notes, caption { color: var(--soft); font-size: 0.9rem; }
.notes { padding-left: 1.2rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 0.4rem 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0.3rem 0; }
.scores { min-width: min(100%, 40rem); font-size: 0.95rem; }
.scores th, .scores td { padding: 0.32rem 0.7rem; text-align: right; vertical-align: top; white-space: nowrap; border-bottom: 1px solid var(--rule); }
.scores th:first-child { text-align: left; position: sticky; left: 0; background: var(--page); font-weight: 500; white-space: normal; overflow-wrap: anywhere; min-width: 7.8rem; }
.scores thead th { font-weight: 600; border-bottom: 2px solid var(--rule); } .scores thead th.group { text-align: center; }
.scores tr.baseline th, .scores tr.baseline td { color: var(--soft); } .scores tr.first td, .scores tr.first th { border-top: 2px solid var(--rule); }
.scores .best { color: var(--best); font-weight: 700; } .scores tr.baseline .best { color: var(--best); }
.sd { color: var(--soft); font-weight: 400; font-size: 0.86em; }
.interval { display: block; color: var(--soft); font-weight: 400; font-size: 0.8em; }
.published { display: block; color: var(--soft); font-weight: 400; font-style: italic; font-size: 0.86em; }
details { border: 1px solid var(--rule); border-radius: 6px; margin: 0.5rem 0; padding: 0 0.8rem; }
summary { cursor: pointer; padding: 0.55rem 0; font-weight: 600; overflow-wrap: anywhere; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); grid-auto-flow: row dense; gap: 1.2rem; padding-bottom: 0.8rem; }
.panels > figure { margin: 0; min-width: 0; } .images > figure { margin: 0 0 1rem; }
.panels.cells { display: flex; flex-wrap: wrap; } .cells > figure { flex: 0 1 400px; } .cells > figure.several { flex: 1 1 460px; } .cells > figure.wide { flex: 1 1 100%; }
figure p.soft { margin: 0.3rem 0 0; max-width: 400px; }
@media (min-width: 820px) { .panels > .matrix { grid-column: span 2; } }
svg.chart { display: block; max-width: 100%; height: auto; }
svg .mark:hover { stroke: var(--ink); stroke-width: 1.6; } svg .line:hover { stroke-width: 3; } svg .cloud:hover { stroke-width: 4.4; stroke-opacity: 0.9; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.15rem 0.9rem; margin: 0.2rem 0 0; padding: 0; font-size: 0.85rem; color: var(--soft); }
.pair > .legend { margin-bottom: 0.6rem; } .legend li { overflow-wrap: anywhere; } .legend svg { vertical-align: -2px; margin-right: 0.35rem; }
.heat { font-size: 0.85rem; } .heat th { font-weight: 500; padding: 0.3rem 0.4rem; color: var(--soft); white-space: nowrap; }
.heat th[scope=row] { text-align: right; position: sticky; left: 0; background: var(--page); }
.heat td { text-align: center; padding: 0.35rem 0.4rem; min-width: 2.9rem; border: 2px solid var(--page); background: rgb(var(--heat) / var(--shade, 0)); }
.key { display: flex; align-items: center; gap: 0.5rem; margin: 0.1rem 0 0; font-size: 0.85rem; color: var(--soft); } .key span { display: flex; }
.key i { width: 1.1rem; height: 0.8rem; background: rgb(var(--heat) / var(--shade)); }
.files { font-size: 0.85rem; } .files th, .files td { text-align: left; padding: 0.25rem 0.7rem 0.25rem 0; vertical-align: top; border-bottom: 1px solid var(--rule); white-space: nowrap; }
pre { background: var(--panel); padding: 0.7rem; overflow-x: auto; font-size: 0.8rem; border-radius: 4px; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 200px), 1fr)); gap: 0.4rem; }
.frames { display: grid; grid-template-columns: repeat(auto-fit, minmax(100px, 160px)); gap: 0.5rem; }
.frame { text-align: center; font-size: 0.85rem; color: var(--soft); } .frame svg { border: 1px solid var(--rule); border-radius: 4px; }
details details { margin: 0.5rem 0; }
#tip { position: fixed; z-index: 9; max-width: 80vw; padding: 0.3rem 0.6rem; border-radius: 4px; background: var(--ink); color: var(--page); font-size: 0.85rem; pointer-events: none; white-space: pre-line; }
@media (max-width: 640px) { body { font-size: 15px; } .scores .sd { display: block; } .scores th, .scores td { padding: 0.3rem 0.3rem; } .scores thead th { white-space: normal; } .scores { font-size: 0.86rem; min-width: 100%; }
  .scores th:first-child { min-width: 5.7rem; } }
@media print { body { max-width: none; } figure, tr { break-inside: avoid; } summary { break-after: avoid; } details::details-content { display: block; content-visibility: visible; } }
)css";

// Shows the tooltip of an element on a tap, because touch screens cannot hover. Unfolds all panels for
// printing.
constexpr const char* script = R"js(
(() => {
  const tip = document.createElement('div'); tip.id = 'tip'; tip.hidden = true; document.body.append(tip);
  document.addEventListener('pointerdown', (event) => {
    tip.hidden = true;
    if (event.pointerType === 'mouse') return;
    const target = event.target.closest('.mark, .line, .heat td[title]');
    const title = target && (target.getAttribute('title') || (target.querySelector('title') || {}).textContent);
    if (!title) return;
    tip.textContent = title; tip.hidden = false;
    tip.style.left = Math.max(8, Math.min(event.clientX, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = Math.max(8, event.clientY - tip.offsetHeight - 18) + 'px';
  });
  addEventListener('scroll', () => { tip.hidden = true; }, { passive: true });
  let folded = [];
  addEventListener('beforeprint', () => { folded = [...document.querySelectorAll('details:not([open])')]; folded.forEach((e) => { e.open = true; }); });
  addEventListener('afterprint', () => { folded.forEach((e) => { e.open = false; }); folded = []; });
})();
)js";

}  // namespace

std::string page(const std::string& title, const std::string& body) {
    const std::string head =
        "<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
        element("title", "", escaped(title)) + "\n" +
        element("style", "",
                ":root { " + theme_variables(false) + "}\n@media (prefers-color-scheme: dark) { :root { " +
                    theme_variables(true) + "} }\n@media print { :root { " + theme_variables(false) +
                    "color-scheme: light; } }" + rules + drawing_style());
    return "<!DOCTYPE html>\n<html lang=\"en\">\n" + element("head", "", head) + "\n" +
           element("body", "", "\n" + body + "\n" + element("script", "", script)) + "\n</html>\n";
}

}  // namespace popflow::report::plot
