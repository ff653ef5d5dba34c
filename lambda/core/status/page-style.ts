import { hash } from 'node:crypto';
import { Html } from './html.ts';

const STYLE = `
:root{color-scheme:light dark;--back:#fff;--card:#f4f6f8;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--bad:#b3261e;--warn:#8a4b00;--good:#116329;--link:#0550ae;--mark:#4a7ebb}
@media (prefers-color-scheme:dark){:root{--back:#12161c;--card:#1c222b;--text:#e6edf3;--soft:#9aa7b4;--line:#38424e;--bad:#ff8a80;--warn:#f0b429;--good:#6cd28a;--link:#79b8ff;--mark:#6a9fd8}}
@media print{:root{color-scheme:light;--back:#fff;--card:#fff;--text:#000;--soft:#444;--line:#999;--bad:#b3261e;--warn:#8a4b00;--good:#116329;--link:#000;--mark:#666}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:90rem;background:var(--back);color:var(--text);font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:1.15rem}
h2{font-size:1.1rem}
p{margin:.25rem 0}
a{color:var(--link)}
small,.soft,caption{color:var(--soft)}
small{font-size:.85rem;font-weight:400}
time{white-space:nowrap}
ul{margin:.25rem 0;padding-left:1.1rem;font-weight:400}
.verdict{margin:.75rem 0;font-size:1.6rem;font-weight:600;line-height:1.2}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0;padding:0;list-style:none}
.counts a{display:block;padding:.3rem .75rem;border:1px solid;border-radius:2rem;background:var(--card);text-decoration:none;font-weight:600}
.counts a:hover,.counts a:focus{text-decoration:underline}
table{width:100%;border-collapse:collapse}
caption{padding:.5rem 0;text-align:left}
th,td{padding:.6rem 1rem .6rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400;unicode-bidi:isolate}
thead th{border:0;color:var(--soft);font-size:.85rem;white-space:nowrap}
tbody th{width:28%;font-weight:600}
tbody th p{font-weight:400}
tr:target,dt:target{background:var(--card)}
small{display:block}
b+small,td:last-child{white-space:nowrap}
td{min-width:9rem}
.state{min-width:0;white-space:nowrap;font-weight:600}
.state a{color:inherit;text-decoration:none}
.state a:hover,.state a:focus{text-decoration:underline}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}
svg{display:block;width:116px;height:28px;fill:var(--mark);border-bottom:1px solid var(--mark)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1.25rem}
dt{font-weight:600;white-space:nowrap}
dd{margin:0}
footer{margin-top:2rem}
code{font-size:.9em}
@media screen and (max-width:55rem){
body{padding:1rem}
table,caption,tbody,th,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tbody tr{display:grid;grid-template-columns:1fr 1fr;gap:.5rem 1rem;margin:0 0 .75rem;padding:.75rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
tbody th,tbody td{width:auto;min-width:0;padding:0;border:0}
tbody th,.state{grid-column:1/-1}
td:not(.state)::before{display:block;color:var(--soft);font-size:.85rem}
td:nth-child(3)::before{content:"Newest proven dump"}
td:nth-child(4)::before{content:"Sizes of the last dumps"}
td:nth-child(5)::before{content:"Last drill"}
td:nth-child(6)::before{content:"Schedule"}
td:nth-child(7)::before{content:"Next run"}
svg{max-width:100%}
dl{display:block}
dd{margin:0 0 .5rem}
}
@page{size:landscape;margin:1cm}
@media print{body{padding:0;max-width:none;font-size:.7rem}small,thead th{font-size:.65rem}td{min-width:6.5rem}tr{break-inside:avoid}thead{display:table-header-group}h2,dt{break-after:avoid}}
`;

/** The style of the page. */
export const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** Content security policy: nothing may be loaded or run, but for that style. */
export const POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'`;
