#include "report/page_style.hpp"

namespace sluice::report {

// Colours are Okabe and Ito's blue, vermillion and bluish green, which the colour-blind can tell
// apart, each once for a light and once for a dark ground; the random arm is grey and dashed.
std::string_view page_style() {
    return R"css(
:root{color-scheme:light dark;--ground:#fbfbf9;--card:#fff;--ink:#1d2126;--soft:#5c6570;
--line:#e3e4e1;--active:#0067a8;--random:#6f7780;--chosen:#c04f00;--other:#007d5c;
--density:0,103,168}
@media (prefers-color-scheme:dark){:root{--ground:#15181c;--card:#1c2025;--ink:#e9ebee;
--soft:#a3acb6;
--line:#31373e;--active:#5db8f0;--random:#a3acb6;--chosen:#ff9a52;--other:#3fcfa0;
--density:93,184,240}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:36px 28px 64px}
h1{font-size:1.8rem;line-height:1.22;font-weight:650;letter-spacing:-.012em;margin:.2em 0 .5em;
max-width:30em;text-wrap:balance}
h2{font-size:1.22rem;font-weight:650;margin:2.6em 0 .3em;letter-spacing:-.006em}
h3{font-size:1rem;font-weight:600;margin:0 0 .5em}
p{margin:.4em 0;max-width:46em}
.eyebrow,.lead,figcaption,.note,td small,.tile small{color:var(--soft)}
.eyebrow{font-size:.86rem;margin:0;overflow-wrap:anywhere}
.lead{font-size:.98rem}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:14px;
margin:22px 0 8px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;
min-width:0}
.tile b{display:block;font-size:1.52rem;line-height:1.25;font-weight:620;
font-variant-numeric:tabular-nums;letter-spacing:-.01em;overflow-wrap:anywhere}
.tile span{font-size:.86rem}
.tile small{display:block;font-size:.83rem;line-height:1.4}
.gaps{border-left:4px solid var(--chosen);background:var(--card);padding:12px 18px;margin:20px 0;
border-radius:0 10px 10px 0}
.gaps ul{margin:.3em 0;padding-left:1.2em}
.gaps li{overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;margin-top:14px}
.wide{grid-column:1/-1}
figure,.card{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:16px 18px 14px;min-width:0;break-inside:avoid}
figcaption,.note{font-size:.88rem;line-height:1.5;margin-top:.6em}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--ink)}
svg .tick,svg .name,svg .quiet{fill:var(--soft)}
svg .tick{font-size:11.5px;font-variant-numeric:tabular-nums}
svg .end{text-anchor:end}svg .mid{text-anchor:middle}
svg path.grid{stroke:var(--line);fill:none}svg path.axis{stroke:var(--soft);fill:none}
svg .line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
svg .thin{fill:none;stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
.line.active{stroke:var(--active)}.line.random{stroke:var(--random);stroke-dasharray:6 4}
.line.chosen{stroke:var(--chosen)}.line.other{stroke:var(--other)}
.fill.active{fill:var(--active)}.fill.random{fill:var(--random)}.fill.chosen{fill:var(--chosen)}
.fill.other{fill:var(--other)}.fill.pale{fill:var(--random);fill-opacity:.38}
.fill.point{fill:var(--active);fill-opacity:.5}
.fill.labeled{fill:var(--card);stroke:var(--ink);stroke-width:1.1}
.fill.now{fill:var(--chosen);stroke:var(--card);stroke-width:.8}
.cross{stroke:var(--ink);stroke-width:1.6;fill:none}
.band{stroke:none;fill-opacity:.16}.band.active{fill:var(--active)}
.band.random{fill:var(--random)}
svg text.active{fill:var(--active);font-weight:600}svg text.random{fill:var(--random);
font-weight:600}
svg text.chosen{fill:var(--chosen);font-weight:600}svg text.other{fill:var(--other);
font-weight:600}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.86rem;color:var(--soft);
margin:.1em 0 .5em}
.key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;
vertical-align:-1px}
.key i.active{background:var(--active)}.key i.random{background:var(--random)}
.key i.pale{background:var(--random);opacity:.5}.key i.chosen{background:var(--chosen)}
.key i.other{background:var(--other)}
.key i.ring{background:var(--card);border:2px solid var(--ink);border-radius:50%}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:left;color:var(--soft);border-bottom:1px solid var(--line);
padding:5px 9px 5px 0;vertical-align:bottom}
td{padding:5px 9px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
.n{text-align:right;white-space:nowrap}th.n{white-space:normal}
td.words{min-width:17em}
.yes,.no{white-space:nowrap}
.yes{color:var(--other);font-weight:600}.no{color:var(--soft)}.bad{color:var(--chosen);
font-weight:600}
details>summary{cursor:pointer;color:var(--active);font-size:.92rem}
footer{margin-top:3em;padding-top:1em;border-top:1px solid var(--line);color:var(--soft);
font-size:.86rem}
@media (max-width:760px){main{padding:22px 14px 48px}h1{font-size:1.4rem}
.grid{grid-template-columns:minmax(0,1fr)}figure,.card{padding:12px 12px 11px}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}.tile{padding:11px 12px}
.tile b{font-size:1.25rem}svg text{font-size:14px}svg .tick{font-size:13px}}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--active:#005a94;
--random:#666;--chosen:#a84300;--other:#006b4f;--density:0,90,148}
@page{margin:14mm}main{max-width:none;padding:0}body{font-size:10pt}h2,.lead{break-after:avoid}
td,th{overflow-wrap:anywhere}td.words{min-width:9em}
.scroll{overflow:visible}.grid{grid-template-columns:repeat(2,minmax(0,1fr));gap:9px}
.tiles{grid-template-columns:repeat(3,minmax(0,1fr))}svg text{font-size:15px}
svg .tick{font-size:14px}
table{font-size:8pt}th,td{padding-right:7px}.wide{break-inside:auto}code{font-size:7pt}
tr{break-inside:avoid}thead{display:table-header-group}}
)css";
}

}  // namespace sluice::report
