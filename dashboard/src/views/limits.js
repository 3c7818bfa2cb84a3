import { useState } from 'preact/hooks';
import { html, Action, Button, Empty, Problem, count, useLoaded } from '../ui.js';
import { change, get, tried } from '../api.js';
import { dialog, note } from '../state.js';

const noBound = 2147483647;
const periods = [[1, 'second'], [60, 'minute'], [3600, 'hour'], [86400, 'day']];

export function rateText({ rate_count: number, rate_seconds: seconds, rate_burst: burst }) {
  if (number === 0) return null;
  const period = periods.find(([length]) => length === seconds)?.[1] ?? `${seconds} s`;
  return `${count(number)} a ${period}${burst ? `, ${count(burst)} at once` : ''}`;
}

const Number = ({ label, hint, name, value, ...rest }) => html`<label class="field"><span>${label}</span>
  <input type="number" inputmode="numeric" min="1" name=${name} value=${value} placeholder=${hint} ...${rest} /></label>`;

function Form({ limit, close, after }) {
  const [failed, setFailed] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const said = new FormData(event.target);
    const number = (name) => (said.get(name) ? +said.get(name) : undefined);
    const key = limit?.key ?? said.get('key');
    try {
      await change('limits/set', { key, max: number('max'), rate_count: number('count'), rate_seconds: number('seconds'), rate_burst: number('burst') });
      note(`Limit ${key} is set`);
      close();
    } catch (refused) {
      setFailed(refused);
    }
    after();
  };
  const rated = limit?.rate_count > 0;
  const isListed = !rated || periods.some(([length]) => length === limit.rate_seconds);
  return html`<form onSubmit=${submit}><p class="muted">It holds at once for all jobs with this key, in all queues, and whatever pushes say of it.</p>
    <div class="fields">${limit ? html`<p class="whole"><code>${limit.key}</code></p>` : html`<label class="field whole"><span>Key</span><input name="key" required maxlength="256" autocomplete="off" spellcheck=${false} /></label>`}
      <${Number} label="Run at a time" name="max" hint="any number" value=${limit && limit.max < noBound ? limit.max : ''} />
      <${Number} label="Begin" name="count" hint="any number" value=${rated ? limit.rate_count : ''} />
      <label class="field"><span>in each</span><select name="seconds">${periods.map(([length, name]) => html`<option value=${length} selected=${rated ? length === limit.rate_seconds : length === 1}>${name}</option>`)}
        ${!isListed && html`<option value=${limit.rate_seconds} selected>${limit.rate_seconds} s</option>`}</select></label>
      <${Number} label="of these at once" name="burst" hint="all of them" value=${rated && limit.rate_burst ? limit.rate_burst : ''} /></div>
    <${Problem} of=${failed} />
    <footer class="row end"><${Button} onClick=${close}>Leave it<//><button class="button primary" type="submit">Set</button></footer></form>`;
}

const edit = (limit, after) => { dialog.value = { title: limit ? 'Change a limit' : 'Set a limit', body: (close) => html`<${Form} limit=${limit} close=${close} after=${after} />` }; };

const Row = ({ limit, again }) => html`<tr>
  <th scope="row" class="whole"><span class="name">${limit.key}</span>${limit.pinned && html`<span class="chip warn" title="Pushes do not change it">set here</span>`}</th>
  <td class="number half" data-label="run"><b>${count(limit.running)}</b> <span class="muted">of ${limit.max < noBound ? count(limit.max) : 'any'}</span></td>
  <td class="whole" data-label="begin">${rateText(limit) ?? html`<span class="muted">at any rate</span>`}</td>
  <td class=${`number half ${limit.held_back ? '' : 'zero'}`} data-label="held back">${count(limit.held_back)}${limit.held_back >= 1000 ? ' or more' : ''}</td>
  <td class="actions"><${Action} aria-label=${`Change ${limit.key}`} act=${async () => edit(limit, again)}>Change…<//>
    ${limit.pinned && html`<${Action} aria-label=${`Release ${limit.key}`} title="Pushes say again what it is" act=${() => tried('limits/release', { key: limit.key }, `Pushes say again what ${limit.key} is`).then(again)}>Release<//>`}</td></tr>`;

/// As many pages as are shown, from the first on.
async function load(pages, signal) {
  const limits = [];
  let next = null;
  for (let i = 0; i < pages && (i === 0 || next); ++i) {
    const page = await get(`limits${next ? `?after=${next}` : ''}`, signal);
    limits.push(...page.limits);
    next = page.next;
  }
  return { limits, next };
}

export function Limits() {
  const [pages, setPages] = useState(1);
  const { value, error, again } = useLoaded((signal) => load(pages, signal), pages, 3000);
  const { limits = [], next } = value ?? {};
  return html`<section class="card" aria-labelledby="limits"><header class="row"><h2 id="limits">Limits</h2><${Action} aria-label="Set a limit" act=${async () => edit(null, again)}>Set…<//></header>
    <${Problem} of=${error} />${!value && !error && html`<p class="loading">Loading…</p>`}
    ${value && limits.length === 0 && html`<${Empty} title="No limits">Jobs that are pushed with the key of a limit share it: so many run at a time, so many begin in a second.<//>`}
    ${limits.length > 0 && html`<div class="scroll"><table class="table stack labelled"><thead><tr><th scope="col">Key</th><th scope="col" class="number">Run</th><th scope="col">Begin</th><th scope="col" class="number">Held back</th><th><span class="sr">Actions</span></th></tr></thead>
      <tbody>${limits.map((one) => html`<${Row} key=${one.key} limit=${one} again=${again} />`)}</tbody></table></div>`}
    ${next && html`<footer class="row center"><${Button} onClick=${() => setPages(pages + 1)}>More limits<//></footer>`}</section>`;
}
