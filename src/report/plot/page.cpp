// SPDX-License-Identifier: MIT
#include "report/plot/page.hpp"

#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

// Eight colours that colour-blind readers can distinguish (after Okabe and Ito). Each has enough contrast on
// its theme's background. Groups beyond the eighth differ in shape or dashes.
constexpr const char* style = R"css(
:root { color-scheme: light dark;
  --page: #ffffff; --ink: #1c2024; --soft: #5b636b; --rule: #d9dee3; --grid: #e8ebee; --panel: #f6f8f9;
  --heat: 0 114 178; --best: #00528a;
  --c0: #0072b2; --c1: #c44e00; --c2: #00875f; --c3: #b0558c; --c4: #b87800; --c5: #2f9fd8; --c6: #6b5b00; --c7: #4a4f55; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171a; --ink: #e6e9ec; --soft: #a2abb4; --rule: #3a4249; --grid: #282e34; --panel: #1c2125;
  --heat: 86 180 233; --best: #8fd0ff;
  --c0: #4ba6e8; --c1: #f0803c; --c2: #2fc79a; --c3: #e199c4; --c4: #efb02e; --c5: #9fdcff; --c6: #e4d95a; --c7: #b9c0c7; } }
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
.published { display: block; color: var(--soft); font-weight: 400; font-style: italic; font-size: 0.86em; }
details { border: 1px solid var(--rule); border-radius: 6px; margin: 0.5rem 0; padding: 0 0.8rem; }
summary { cursor: pointer; padding: 0.55rem 0; font-weight: 600; overflow-wrap: anywhere; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 1.2rem; padding-bottom: 0.8rem; }
.panels > figure { margin: 0; min-width: 0; max-width: 560px; }
.heats { display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; align-content: start; min-width: 0; } .heats > figure { margin: 0; min-width: 0; max-width: 100%; }
@media (min-width: 820px) { .panels > .heats { grid-column: span 2; } }
svg.chart { display: block; width: 100%; height: auto; }
svg .tick { font-size: 12px; fill: var(--soft); } svg .axis { font-size: 13px; fill: var(--ink); }
svg .grid { stroke: var(--grid); fill: none; } svg .diagonal { stroke: var(--soft); stroke-dasharray: 5 4; fill: none; }
svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; } svg .mark { stroke: var(--page); stroke-width: 0.7; fill-opacity: 0.88; }
svg .mark:hover { stroke: var(--ink); stroke-width: 1.6; } svg .line:hover { stroke-width: 3; } svg .line.dot { stroke-width: 7; stroke-dasharray: none; }
.dash1 { stroke-dasharray: 7 4; } .dash2 { stroke-dasharray: 1 4; } .dash3 { stroke-dasharray: 9 3 2 3; }
.mark.c0 { fill: var(--c0); } .mark.c1 { fill: var(--c1); } .mark.c2 { fill: var(--c2); } .mark.c3 { fill: var(--c3); }
.mark.c4 { fill: var(--c4); } .mark.c5 { fill: var(--c5); } .mark.c6 { fill: var(--c6); } .mark.c7 { fill: var(--c7); }
.line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); } .line.c3 { stroke: var(--c3); }
.line.c4 { stroke: var(--c4); } .line.c5 { stroke: var(--c5); } .line.c6 { stroke: var(--c6); } .line.c7 { stroke: var(--c7); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.15rem 0.9rem; margin: 0.2rem 0 0; padding: 0; font-size: 0.85rem; color: var(--soft); }
.pair > .legend { margin-bottom: 0.6rem; } .legend li { overflow-wrap: anywhere; } .legend svg { vertical-align: -2px; margin-right: 0.35rem; }
.heat { font-size: 0.85rem; } .heat th { font-weight: 500; padding: 0.3rem 0.4rem; color: var(--soft); white-space: nowrap; }
.heat th[scope=row] { text-align: right; position: sticky; left: 0; background: var(--page); }
.heat td { text-align: center; padding: 0.35rem 0.4rem; min-width: 2.9rem; border: 2px solid var(--page); background: rgb(var(--heat) / var(--shade, 0)); }
.key { display: flex; align-items: center; gap: 0.5rem; margin: 0.1rem 0 0; font-size: 0.85rem; color: var(--soft); } .key span { display: flex; }
.key i { width: 1.1rem; height: 0.8rem; background: rgb(var(--heat) / var(--shade)); }
.files { font-size: 0.85rem; } .files th, .files td { text-align: left; padding: 0.25rem 0.7rem 0.25rem 0; vertical-align: top; border-bottom: 1px solid var(--rule); white-space: nowrap; }
pre { background: var(--panel); padding: 0.7rem; overflow-x: auto; font-size: 0.8rem; border-radius: 4px; }
svg .cloud { stroke-width: 3.4; stroke-opacity: 0.5; } svg .cloud:hover { stroke-width: 4.4; stroke-opacity: 0.9; }
svg .arrows { stroke: var(--ink); stroke-width: 0.6; stroke-opacity: 0.55; fill: none; }
.small { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(47%, 210px), 1fr)); gap: 0.4rem; }
.frames { display: grid; grid-template-columns: repeat(auto-fit, minmax(100px, 1fr)); gap: 0.5rem; }
.frame { text-align: center; font-size: 0.85rem; color: var(--soft); } .frame svg { border: 1px solid var(--rule); border-radius: 4px; }
.panels > figure.wide { grid-column: 1 / -1; max-width: none; } .cells > figure { max-width: none; } details details { margin: 0.5rem 0; }
#tip { position: fixed; z-index: 9; max-width: 80vw; padding: 0.3rem 0.6rem; border-radius: 4px; background: var(--ink); color: var(--page); font-size: 0.85rem; pointer-events: none; white-space: pre-line; }
@media (max-width: 640px) { body { font-size: 15px; } .scores .sd { display: block; } .scores th, .scores td { padding: 0.3rem 0.3rem; } .scores thead th { white-space: normal; } .scores { font-size: 0.86rem; min-width: 100%; }
  .scores th:first-child { min-width: 5.7rem; } }
@media (max-width: 960px) { .small svg .tick { font-size: 16px; } .small svg .axis { font-size: 18px; } }
@media print { details { break-inside: avoid; } body { max-width: none; } }
)css";

// Shows the tooltip of an element on a tap, because touch screens cannot hover.
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
})();
)js";

}  // namespace

std::string page(const std::string& title, const std::string& body) {
    const std::string head =
        "<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
        element("title", "", escaped(title)) + "\n" + element("style", "", style);
    return "<!DOCTYPE html>\n<html lang=\"en\">\n" + element("head", "", head) + "\n" +
           element("body", "", "\n" + body + "\n" + element("script", "", script)) + "\n</html>\n";
}

}  // namespace popflow::report::plot
