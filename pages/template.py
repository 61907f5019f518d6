"""The page itself: style, a little script, and where everything stands."""

# Foreground and background are set together, so that no one else's theme mixes with ours.
_STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1e;--paper:#fff;--quiet:#5c5f66;--line:#d5d8dd;--soft:#f4f5f7;
--c0:#0b62a4;--c1:#b34700;--c2:#00724c;--c3:#8a3f86;--c4:#8a6100;--c5:#0b7a8a;--c6:#3c3c43;
--yes:#0a6b3d;--no:#a3261f;--open:#7a5600}
@media (prefers-color-scheme:dark){:root{--ink:#ececf0;--paper:#16171a;--quiet:#a6abb5;--line:#3a3d45;--soft:#202228;
--c0:#6db6f2;--c1:#f29a5c;--c2:#52c79a;--c3:#d793d3;--c4:#dfb65a;--c5:#5fcbdb;--c6:#c9c9d1;
--yes:#63d39a;--no:#ff8a80;--open:#f0c463}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.5rem;line-height:1.25;margin:1.2rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem;padding-top:.8rem;border-top:1px solid var(--line)}
p{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:.3rem .9rem;font-size:.9rem;margin:.8rem 0}
a{color:var(--c0)}
.verdict{background:var(--soft);border-left:5px solid var(--open);padding:.7rem 1rem;border-radius:4px}
.verdict.yes{border-color:var(--yes)}.verdict.no{border-color:var(--no)}
.verdict strong{font-size:1.1rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem 1.5rem}
figure{margin:.6rem 0;min-width:0;break-inside:avoid}
figcaption{font-size:.88rem;color:var(--quiet);max-width:34rem}
svg{width:100%;height:auto;max-width:36rem;display:block;font:12.5px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .quiet{fill:var(--quiet);font-size:11.5px}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:5 4}
.grid{stroke:var(--line);stroke-width:.7}.axis{stroke:var(--quiet);stroke-width:1.2}
.mark{stroke:var(--quiet);stroke-width:1.2;stroke-dasharray:3 3}.outline{fill:none;stroke:var(--line)}
.halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px}.hover{fill:transparent}.grey{fill:var(--quiet);fill-opacity:.55}
.l0{stroke:var(--c0)}.l1{stroke:var(--c1)}.l2{stroke:var(--c2)}.l3{stroke:var(--c3)}.l4{stroke:var(--c4)}
.l5{stroke:var(--c5)}.l6{stroke:var(--c6)}
.b0{fill:var(--c0)}.b1{fill:var(--c1)}.b2{fill:var(--c2)}.b3{fill:var(--c3)}.b4{fill:var(--c4)}
.b5{fill:var(--c5)}.b6{fill:var(--c6)}
.legend{font-size:.85rem;line-height:1.6}.key{margin-right:1rem;white-space:nowrap}
.key i{display:inline-block;width:1.4em;height:0;margin-right:.35em;vertical-align:middle;border-top:3px solid}
.k0{border-color:var(--c0)!important}.k1{border-color:var(--c1)!important}.k2{border-color:var(--c2)!important}
.k3{border-color:var(--c3)!important}.k4{border-color:var(--c4)!important}.k5{border-color:var(--c5)!important}
.k6{border-color:var(--c6)!important}
.key i.broken{border-top-style:dashed}
.wide{overflow-x:auto;margin:.7rem 0}
table{border-collapse:collapse;font-size:.9rem}
caption{text-align:left;color:var(--quiet);font-size:.88rem;padding-bottom:.3rem}
th,td{padding:.22rem .7rem .22rem 0;text-align:right;vertical-align:top;border-bottom:1px solid var(--line)}
td{white-space:nowrap}
th.w,td.w{white-space:normal;text-align:left;overflow-wrap:anywhere;min-width:8rem;max-width:26rem}
th{font-weight:600}tr.bold td{font-weight:700}
summary{cursor:pointer;color:var(--c0);margin:.4rem 0}
code{background:var(--soft);padding:.1rem .35rem;border-radius:3px;overflow-wrap:anywhere;font-size:.88rem}
select{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--line);padding:.2rem}
footer{margin:2.5rem auto;color:var(--quiet);font-size:.88rem;border-top:1px solid var(--line);padding-top:.8rem}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--quiet:#444;--line:#bbb;--soft:#fff;
--c0:#0b62a4;--c1:#b34700;--c2:#00724c;--c3:#8a3f86;--c4:#8a6100;--c5:#0b7a8a;--c6:#3c3c43;
--yes:#0a6b3d;--no:#a3261f;--open:#7a5600}
nav,.choose{display:none}body{font-size:11pt}.verdict{border:1.5pt solid #000}h2{break-after:avoid}
tr,figure{break-inside:avoid}.wide{overflow:visible}[hidden]{display:block!important}
details>*{display:block}svg,*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

# Choosing what is shown, and opening everything for the printer. Without it the page shows all.
_SCRIPT = """
for(const box of document.querySelectorAll('.choice')){
 const parts=[...box.querySelectorAll('figure')];
 const label=document.createElement('label'),list=document.createElement('select');
 label.className='choose';label.textContent=box.dataset.label+': ';
 parts.forEach((part,i)=>{
  const option=document.createElement('option');
  option.value=i;option.textContent=part.dataset.name;list.append(option)});
 const show=()=>parts.forEach((part,i)=>{part.hidden=i!=list.value});
 list.addEventListener('change',show);label.append(list);box.prepend(label);show()}
let closed=[];
addEventListener('beforeprint',()=>{closed=[...document.querySelectorAll('details:not([open])')];
 closed.forEach(part=>{part.open=true})});
addEventListener('afterprint',()=>closed.forEach(part=>{part.open=false}));
"""

TEMPLATE = (
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{{ page.title }}</title>
<style>"""
    + _STYLE
    + """</style>
</head>
<body>
{% macro draw(figure, name="") %}
<figure{% if name %} data-name="{{ name }}"{% endif %}>
{% if name %}<div><b>{{ name }}</b></div>{% endif %}
{{ figure.svg }}
<figcaption>{{ (figure.caption or figure.alt)|prose }}</figcaption>
</figure>
{% endmacro %}
{% macro grid(table) %}
<div class="wide" role="region" tabindex="0" aria-label="{{ table.caption or table.head|join(', ') }}">
<table>
{% if table.caption and not table.folded %}<caption>{{ table.caption }}</caption>{% endif %}
<thead><tr>
{% for name in table.head %}<th scope="col"{% if loop.index <= table.left %} class="w"{% endif %}>{{ name }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in table.rows %}
<tr{% if table.bold is not none and loop.index0 == table.bold %} class="bold"{% endif %}>
{% for cell in row %}<td{% if loop.index <= table.left %} class="w"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endmacro %}
<header>
<h1>{{ page.title }}</h1>
<div class="verdict {{ page.tone }}"><strong>{{ page.answer }}</strong>
<p>{{ page.text }}</p></div>
<nav aria-label="sections">
{% for section in page.sections %}<a href="#{{ section.anchor }}">{{ section.title }}</a>{% endfor %}
</nav>
</header>
<main>
{% for section in page.sections %}
<section id="{{ section.anchor }}">
<h2>{{ section.title }}</h2>
{% for sentence in section.sentences %}<p>{{ sentence|prose }}</p>{% endfor %}
{% if section.figures %}
<div class="figures">
{% for figure in section.figures %}
{% if figure is choice %}
<div class="choice" data-label="{{ figure.label }}">
{% for name, one in figure.figures.items() %}{{ draw(one, name) }}{% endfor %}
</div>
{% else %}{{ draw(figure) }}{% endif %}
{% endfor %}
</div>
{% endif %}
{% for table in section.tables %}
{% if table.folded %}<details><summary>{{ table.caption }}</summary>{{ grid(table) }}</details>
{% else %}{{ grid(table) }}{% endif %}
{% endfor %}
{% if section.bullets %}<ul>{% for item in section.bullets %}<li>{{ item|prose }}</li>{% endfor %}</ul>{% endif %}
</section>
{% endfor %}
</main>
<footer>
{% if page.command %}<p>Made by <code>{{ page.command }}</code></p>{% endif %}
<p>{{ page.made_by }}. This file needs no network.</p>
</footer>
<script>"""
    + _SCRIPT
    + """</script>
</body>
</html>
"""
)
