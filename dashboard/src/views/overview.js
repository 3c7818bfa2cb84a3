import { html, count, short, span } from '../ui.js';
import { link, look, totals } from '../state.js';
import { Plot } from '../plot.js';
import { QueueTable } from './queues.js';

const shown = ['ready', 'running', 'scheduled', 'blocked', 'dead', 'quarantined', 'done'];
const hints = {
  ready: 'wait for a worker', running: 'on workers now', scheduled: 'for later', blocked: 'wait for others',
  dead: 'gave up', quarantined: 'need a look', done: 'kept', cancelled: 'given up on request',
};
const rate = (value) => (value >= 100 ? short(Math.round(value)) : value.toFixed(value < 10 && value > 0 ? 1 : 0));

export function Overview() {
  const sum = totals.value;
  const workers = look.value?.stats.workers ?? [];
  return html`<h1 class="sr">Overview</h1>
    <ul class="tiles" aria-label="Jobs by state">
      ${shown.map((state) => html`<li><a class=${`tile is-${state} ${sum[state] > 0 ? '' : 'zero'}`} href=${link('jobs', { state })}>
        <span class="label"><i></i>${state}</span><strong title=${count(sum[state])}>${short(sum[state])}</strong><small>${hints[state]}</small></a></li>`)}
      <li><a class=${`tile ${workers.length ? '' : 'zero'}`} href=${link('workers')}><span class="label">workers</span><strong>${workers.length}</strong><small>${workers.length ? 'alive' : 'nobody runs jobs'}</small></a></li>
    </ul>
    <div class="plots">
      <${Plot} title="Throughput" format=${(value) => `${rate(value)}/s`} series=${[
        { name: 'done', tone: 'done', of: (one) => one.done, fill: true },
        { name: 'given up', tone: 'dead', of: (one) => one.failed },
      ]} />
      <${Plot} title="Latency" format=${span} series=${[
        { name: 'wait', tone: 'ready', of: (one) => one.wait },
        { name: 'p95', tone: 'ready', of: (one) => one.wait_longest, dash: [4, 3] },
        { name: 'run', tone: 'running', of: (one) => one.run },
      ]} />
      <${Plot} title="Backlog" format=${short} series=${[
        { name: 'ready', tone: 'ready', of: (one) => one.ready, fill: true },
        { name: 'running', tone: 'running', of: (one) => one.running },
        { name: 'scheduled', tone: 'scheduled', of: (one) => one.scheduled },
      ]} />
    </div>
    <section class="card"><header><h2>Queues</h2></header><${QueueTable} /></section>`;
}
