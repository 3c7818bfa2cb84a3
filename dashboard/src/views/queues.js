import { html, Action, Empty, count, short, states } from '../ui.js';
import { link, look } from '../state.js';
import { tried } from '../api.js';
import { Limits } from './limits.js';

const total = (queue) => states.reduce((sum, state) => sum + queue[state], 0);
const living = ['running', 'ready', 'scheduled', 'blocked'];

function Bar({ queue }) {
  const sum = living.reduce((all, state) => all + queue[state], 0);
  const words = living.filter((state) => queue[state]).map((state) => `${queue[state]} ${state}`).join(', ');
  return html`<span class="bar" role="img" aria-label=${words || 'nothing waits'} title=${words || 'nothing waits'}>
    ${living.map((state) => queue[state] > 0 && html`<i class=${`fill-${state}`} style=${{ width: `${(100 * queue[state]) / sum}%` }}></i>`)}</span>`;
}

const Count = ({ queue, state }) => html`<td class=${`number ${queue[state] ? '' : 'zero'}`} data-label=${state}>
  <a href=${link('jobs', { state, queue: queue.queue })} title=${count(queue[state])}>${short(queue[state])}</a></td>`;

export function QueueTable() {
  const queues = look.value?.stats.queues;
  if (!queues) return html`<p class="loading">Loading…</p>`;
  if (queues.length === 0) return html`<${Empty} title="No jobs yet">Queues show up with their first job.<//>`;
  const shown = ['ready', 'running', 'scheduled', 'blocked', 'dead', 'quarantined', 'done'];
  return html`<div class="scroll"><table class="table stack">
    <thead><tr><th scope="col">Queue</th><th scope="col" class="wide">Waits and runs</th>${shown.map((state) => html`<th scope="col" class="number">${state}</th>`)}<th><span class="sr">Actions</span></th></tr></thead>
    <tbody>${queues.map((queue) => html`<tr key=${queue.queue}>
      <th scope="row"><a href=${link('jobs', { queue: queue.queue })} class="name">${queue.queue}</a>${queue.paused && html`<span class="chip warn">paused</span>`}
        <small class="muted">${count(total(queue))} kept</small></th>
      <td class="wide"><${Bar} queue=${queue} /></td>
      ${shown.map((state) => html`<${Count} queue=${queue} state=${state} />`)}
      <td class="actions">${queue.paused
        ? html`<${Action} icon="play" aria-label=${`Resume ${queue.queue}`} act=${() => tried('queues/resume', { name: queue.queue }, `Queue ${queue.queue} goes on`)}>Resume<//>`
        : html`<${Action} icon="pause" aria-label=${`Pause ${queue.queue}`} act=${() => tried('queues/pause', { name: queue.queue }, `Queue ${queue.queue} is paused: what runs goes on`)}>Pause<//>`}</td>
    </tr>`)}</tbody></table></div>`;
}

export const Queues = () => html`<h1>Queues</h1><section class="card"><${QueueTable} /></section><${Limits} />`;
