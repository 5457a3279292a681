"""Interactive documentation out of the hub itself: one page that reads the OpenAPI document, nothing from elsewhere."""

from __future__ import annotations

from typing import Final

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Solo Unicorn hub: the API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #8888}
details{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.3rem .7rem}summary{cursor:pointer}
code,pre,input,textarea{font:13px/1.45 ui-monospace,monospace}
pre{overflow:auto;max-height:24rem;background:#8881;padding:.6rem}
b.m{display:inline-block;width:4.2rem}
input,textarea{width:100%;box-sizing:border-box;margin:.15rem 0 .5rem;padding:.3rem}
label{display:block}button{padding:.3rem .9rem}.d{color:#777}
</style></head><body><h1>Solo Unicorn hub: the API</h1>
<label>Token <input id="token" type="password" autocomplete="off" placeholder="pat_…, kept on this page only"></label>
<label>Find <input id="find" placeholder="mission, claim …"></label><main id="all">Reading the document …</main>
<script src="docs.js"></script></body></html>"""

SCRIPT: Final = r"""'use strict';
const make = (tag, text, parent) => { const e = document.createElement(tag); if (text) e.textContent = text;
  if (parent) parent.append(e); return e; };
const all = document.getElementById('all');
const field = (parent, name, hint, rows) => { const label = make('label', name + (hint ? ' · ' + hint : ''), parent);
  const input = make(rows ? 'textarea' : 'input', '', label); if (rows) input.rows = rows; return input; };
function example(schema, doc, depth) {
  if (!schema || depth > 4) return null;
  if (schema.$ref) return example(doc.components.schemas[schema.$ref.split('/').pop()], doc, depth + 1);
  if (schema.anyOf) return example(schema.anyOf[0], doc, depth);
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'object') { const out = {}; const names = schema.required || [];
    for (const n of names) out[n] = example(schema.properties[n], doc, depth + 1); return out; }
  return {string: '', integer: 0, number: 0, boolean: false, array: []}[schema.type] ?? null; }
function row(parent, path, method, op, doc) {
  const box = make('details', '', parent); box.dataset.words = (method + path + op.summary).toLowerCase();
  const head = make('summary', '', box); const verb = make('b', method.toUpperCase(), head); verb.className = 'm';
  make('code', path, head); make('span', ' ' + op.summary, head);
  make('p', op.description, box).className = 'd';
  const inputs = (op.parameters || []).map(p => [p, field(box, p.name, p.in)]);
  let body = null;
  if (op.requestBody) { const schema = op.requestBody.content['application/json'].schema;
    body = field(box, 'body', 'JSON', 6); body.value = JSON.stringify(example(schema, doc, 0), null, 1); }
  const send = make('button', 'Send', box); const out = make('pre', '', box); out.hidden = true;
  make('p', 'Answers: ' + Object.keys(op.responses).join(', '), box).className = 'd';
  send.onclick = async () => { let url = path; const query = new URLSearchParams(); const headers = {};
    const token = document.getElementById('token').value; if (token) headers.Authorization = 'Bearer ' + token;
    for (const [p, i] of inputs) { if (!i.value) continue;
      if (p.in === 'path') url = url.replace('{' + p.name + '}', encodeURIComponent(i.value));
      else if (p.in === 'query') query.set(p.name, i.value); else headers[p.name] = i.value; }
    if (body && body.value) headers['Content-Type'] = 'application/json';
    out.hidden = false; out.textContent = '…';
    try { const r = await fetch(url + (String(query) ? '?' + query : ''),
        {method: method.toUpperCase(), headers, body: body && body.value ? body.value : undefined});
      const text = await r.text(); let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 1); } catch (e) {}
      out.textContent = r.status + ' ' + (r.headers.get('etag') || '') + '\n' + shown;
    } catch (e) { out.textContent = String(e); } }; }
fetch('api/v1/openapi.json').then(r => r.json()).then(doc => { all.textContent = ''; const tags = {};
  for (const [path, ops] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(ops)) {
    const tag = op.tags[0]; if (!tags[tag]) { tags[tag] = make('section', '', all); make('h2', tag, tags[tag]); }
    row(tags[tag], path, method, op, doc); } });
document.getElementById('find').oninput = e => { const words = e.target.value.toLowerCase();
  for (const box of all.querySelectorAll('details')) box.hidden = !box.dataset.words.includes(words); };
"""
