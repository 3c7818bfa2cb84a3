import { html, Action, Ago, Empty, Problem, baseName, full, useLoaded } from '../ui.js';
import { link, session } from '../state.js';
import { get, tried } from '../api.js';

export function Schedules() {
  const { value, error, again } = useLoaded((signal) => get('schedules', signal), 'schedules', 5000);
  const act = (path, name, done) => tried(`schedules/${path}`, { name }, done).then(again);
  return html`<h1>Schedules</h1><${Problem} of=${error} />
    <section class="card">${!value && !error && html`<p class="loading">Loading…</p>`}
    ${value?.length === 0 && html`<${Empty} title="No schedules">Programs make them with <code>queue.schedule</code>, people with <code>weft schedules add</code>.<//>`}
    ${value?.length > 0 && html`<div class="scroll"><table class="table stack labelled">
      <thead><tr><th scope="col">Name</th><th scope="col">When</th><th scope="col">Next</th><th scope="col">Seen to</th><th scope="col">Queue</th><th scope="col">Closure</th><th><span class="sr">Actions</span></th></tr></thead>
      <tbody>${value.map(({ schedule: one, times }) => html`<tr key=${one.name}>
        <th scope="row" class="whole"><a class="name" href=${link('jobs', { tag: `schedule:${one.name}` })}>${one.name}</a>${one.paused && html`<span class="chip warn">paused</span>`}${one.problem && html`<span class="chip bad" title=${one.problem}>broken</span>`}</th>
        <td class="whole"><code>${one.cron}</code> <span class="muted">${one.zone}</span></td>
        <td class="half" data-label="next" title=${times.map(full).join('\n')}>${one.paused ? html`<span class="muted">–</span>` : html`<${Ago} at=${times[0] ?? one.next} />`}</td>
        <td class="half" data-label="seen to"><${Ago} at=${one.last} /></td><td class="half" data-label="queue">${one.queue}</td><td class="half" data-label="closure">${one.closure ? baseName(one.closure) : html`<span class="muted">–</span>`}</td>
        <td class="actions">${session.value?.has_keys && html`<${Action} icon="play" aria-label=${`Run ${one.name} now`} act=${() => act('run', one.name, (made) => `Job ${made.id} is pushed`)}>Run now<//>`}
          ${one.paused ? html`<${Action} icon="play" aria-label=${`Resume ${one.name}`} act=${() => act('resume', one.name, `${one.name} goes on`)}>Resume<//>`
            : html`<${Action} icon="pause" aria-label=${`Pause ${one.name}`} act=${() => act('pause', one.name, `${one.name} is paused`)}>Pause<//>`}</td></tr>`)}</tbody></table></div>`}</section>`;
}
