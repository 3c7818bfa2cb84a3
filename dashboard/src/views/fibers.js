import { useState } from 'preact/hooks';
import { html, Action, Empty, Problem, count, span, useLoaded } from '../ui.js';
import { getText, get } from '../api.js';

export function Fibers() {
  const { value, error } = useLoaded((signal) => get('fibers', signal), 'fibers', 3000);
  const [dump, setDump] = useState(null);
  const [failed, setFailed] = useState(null);
  const load = async () => {
    try { setDump(await getText('fibers/dump')); setFailed(null); } catch (refused) { setFailed(refused); }
  };
  return html`<header class="head"><div><h1>Fibers</h1>${value && html`<p class="muted">${count(value.total)} of the process that serves this page</p>`}</div>
      <div class="row"><${Action} act=${load}>Show stacks<//></div></header>
    <${Problem} of=${error ?? failed} />
    ${!value && !error && html`<p class="loading">Loading…</p>`}
    ${value && html`<ul class="row sums" aria-label="What they do">${value.groups.map((one) => html`<li class="chip"><b>${count(one.fibers)}</b> ${one.what}</li>`)}</ul>
    <section class="card">${value.fibers.length === 0 ? html`<${Empty} title="No fibers">There is nothing to see.<//>` : html`<div class="scroll" tabindex="0" role="region" aria-label="Fibers"><table class="table stack labelled">
      <thead><tr><th scope="col">Fiber</th><th scope="col">State</th><th scope="col">Waits in</th><th scope="col" class="number">Age</th><th scope="col" class="number">Made by</th><th scope="col" class="number">Loop</th></tr></thead>
      <tbody>${value.fibers.map((one) => html`<tr key=${one.id}><th scope="row"><span class="name">${one.name || 'fiber'}</span> <span class="muted">${one.id}</span></th>
        <td>${one.state}</td><td class="whole" data-label="waits in">${one.waits_in ? html`<code>${one.waits_in}</code>` : html`<span class="muted">–</span>`}</td>
        <td class="number" data-label="age">${span(one.age_seconds * 1000)}</td><td class="number" data-label="made by">${one.parent || '–'}</td><td class="number" data-label="loop">${one.loop}</td></tr>`)}</tbody></table></div>`}
    ${value.total > value.fibers.length && html`<p class="muted center">The oldest ${count(value.fibers.length)} are shown.</p>`}</section>`}
    ${dump !== null && html`<section class="card pad"><h2>Stacks</h2><pre class="dump" tabindex="0" role="region" aria-label="Stacks">${dump}</pre></section>`}`;
}
