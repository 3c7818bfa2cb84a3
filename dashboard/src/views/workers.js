import { html, Empty, Problem, baseName, preview, useLoaded } from '../ui.js';
import { link, session } from '../state.js';
import { get } from '../api.js';

/// By the address that whoever runs the dashboard gave; the browser goes there, if it can.
function Fibers({ of }) {
  const url = session.value?.worker_url;
  if (!url) return null;
  const at = ['host', 'pid', 'id'].reduce((made, name) => made.replaceAll(`{${name}}`, encodeURIComponent(of[name])), url);
  return html` · <a href=${at} target="_blank" rel="noopener noreferrer">fibers</a>`;
}

export function Workers() {
  const { value, error } = useLoaded((signal) => get('workers', signal), 'workers', 3000);
  return html`<h1>Workers</h1><${Problem} of=${error} />
    ${!value && !error && html`<p class="loading">Loading…</p>`}
    ${value?.length === 0 && html`<section class="card"><${Empty} title="No workers">Nobody has told this database that it runs jobs.<//></section>`}
    <ul class="workers">${value?.map(({ worker, build, jobs }) => html`<li class="card pad" key=${worker.id}>
      <header class="row"><h2>${worker.host} <span class="muted">pid ${worker.pid}</span></h2><span class=${`chip ${worker.running ? 'good' : ''}`}>${worker.running} running</span></header>
      <p class="muted small">worker <code>${worker.id}</code> · build <code>${build.slice(0, 12)}</code><${Fibers} of=${worker} /></p>
      ${jobs.length > 0 && html`<ul class="running">${jobs.map((job) => html`<li><i></i><a href=${link(`jobs/${job.id}`)}>${baseName(job.closure)}</a> <span class="arguments">${preview(job.arguments, 60)}</span></li>`)}</ul>`}</li>`)}</ul>`;
}
