/** How the page of results looks: a narrow window gets each figure as a card, a wide one the table. */
export const resultsStyle = `
:root { color-scheme: light dark; --ink: #1f2937; --faint: #566070; --ground: #fbfbfa; --line: #dcdfe4;
  --good: #1c6437; --bad: #a3310f; --bad-ground: #fdf0eb; --link: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ec; --faint: #a3acb9; --ground: #15181d; --line: #353b45;
    --good: #7fd19b; --bad: #ff9d78; --bad-ground: #38211a; --link: #8ab8f2; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 80rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.75rem 0 .25rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--link); }
.about, caption, .spread { color: var(--faint); }
dl { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: 0 0 1rem; }
dt { font-size: .8125rem; color: var(--faint); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.wrong { border: 2px solid var(--bad); border-radius: .5rem; background: var(--bad-ground); padding: .75rem 1rem; margin: 1rem 0; }
.wrong h2 { margin: 0 0 .5rem; color: var(--bad); }
.wrong ul { margin: 0; padding-left: 1.25rem; }
.wrong pre { margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8125rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9375rem; }
caption { text-align: left; padding-bottom: .5rem; max-width: 46rem; }
th, td { text-align: right; vertical-align: top; padding: .4rem .75rem; border-bottom: 1px solid var(--line); font-weight: inherit; }
th:first-child { text-align: left; padding-left: 0; }
.rows th:last-child, .rows td:last-child { text-align: left; padding-right: 0; }
thead th { color: var(--faint); font-size: .8125rem; vertical-align: bottom; }
tbody th[scope=rowgroup] { padding-top: 1.5rem; font-weight: 600; }
th .about { font-weight: 400; font-size: .9375rem; margin-left: .75rem; }
td.none { text-align: left; padding-left: 0; color: var(--faint); }
.spread { display: block; font-size: .8125rem; white-space: nowrap; }
.reached, .missed { display: block; white-space: nowrap; }
.reached { color: var(--good); }
.missed { color: var(--bad); font-weight: 700; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; align-items: start; }
figure { color-scheme: light; --ink: #1f2937; --faint: #566070; --line: #dcdfe4;
  margin: 0; padding: .75rem; background: #ffffff; color: var(--ink); border: 1px solid var(--line); border-radius: .5rem; min-width: 0; }
figcaption { font-weight: 600; line-height: 1.35; margin-bottom: .5rem; }
figure p { font-size: .875rem; margin: .5rem 0 0; color: var(--faint); }
figure svg { display: block; width: 100%; max-width: 27rem; height: auto; }
details { font-size: .875rem; margin-top: .5rem; color: var(--faint); }
summary { cursor: pointer; }
details div { overflow-x: auto; }
details table { width: auto; font-size: .8125rem; }
details th, details td { padding: .2rem .6rem; }
@media (max-width: 47.99rem) {
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows, .rows tbody, .rows tr, .rows caption { display: block; }
  .rows tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  .rows th, .rows td { border: 0; padding: .1rem 0; }
  .rows th { display: block; font-weight: 600; }
  .rows th[scope=rowgroup] { padding-top: 1rem; font-size: 1.125rem; }
  .rows td { display: grid; grid-template-columns: 5rem 1fr; text-align: left; }
  .rows td::before { content: attr(data-name); color: var(--faint); }
  .rows th .about { display: block; margin-left: 0; }
  .rows td:empty, .rows td.none::before { display: none; }
  .rows td.none { display: block; }
}
`
