import { html, Action, Ago, Empty, JobLink, Problem, count, counted, cut, useLoaded } from '../ui.js';
import { link } from '../state.js';
import { get } from '../api.js';
import { askForMany } from '../bulk.js';

export function Errors() {
  const { value, error, again } = useLoaded((signal) => get('errors', signal), 'errors', 10000);
  const filterOf = (group, state) => ({ state, group: group.key });
  const ask = (action, group) => askForMany(action, new URLSearchParams(filterOf(group, 'dead')).toString(),
    `dead, ${group.closure}, whose error is “${cut(group.message, 100)}” but for numbers`, again);
  return html`<header class="head"><h1>Errors</h1>${value && html`<p class="muted">${value.has_more ? 'of the newest ' : 'of '}${counted(value.looked_at, 'job that failed or waits', 'jobs that failed or wait')}</p>`}</header>
    <${Problem} of=${error} />
    ${!value && !error && html`<p class="loading">Loading…</p>`}
    ${value && value.groups.length === 0 && html`<section class="card"><${Empty} title="Nothing failed">No job is dead, quarantined or waits to be tried again.<//></section>`}
    <ul class="groups">${value?.groups.map((group) => html`<li class="card group" key=${group.newest}>
      <div class="many"><b>${count(group.dead + group.quarantined + group.retrying)}</b><small>${[group.dead && `${group.dead} dead`, group.quarantined && `${group.quarantined} quarantined`, group.retrying && `${group.retrying} retrying`].filter(Boolean).join(', ')}</small></div>
      <div class="grow"><h2><a href=${link('jobs', filterOf(group, group.dead ? 'dead' : undefined))}>${group.closure}</a></h2>
        <p class="error-text">${group.type && group.type !== 'weft.error' && html`<b>${group.type}: </b>`}${cut(group.message, 300)}</p>
        <p class="muted small">newest <${JobLink} id=${group.newest}><${Ago} at=${group.last} /><//>, oldest <${Ago} at=${group.first} /></p></div>
      ${group.dead > 0 && html`<div class="row"><${Action} icon="retry" act=${async () => ask('retry', group)}>Retry…<//><${Action} icon="delete" act=${async () => ask('delete', group)}>Delete…<//></div>`}
    </li>`)}</ul>`;
}
