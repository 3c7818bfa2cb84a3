import { useState } from 'preact/hooks';
import { html, Problem } from '../ui.js';
import { logIn } from '../api.js';

export function Login() {
  const [failed, setFailed] = useState(null);
  const [token, setToken] = useState('');
  const submit = async (event) => {
    event.preventDefault();
    setFailed(null);
    try {
      await logIn(token.trim());
    } catch (refused) {
      setFailed(refused);
    }
  };
  return html`<main class="login"><form onSubmit=${submit} class="card">
    <h1><span class="brand"><i></i>weft</span></h1>
    <p class="muted">Paste the token that <code>weft dashboard</code> printed, or that you were given.</p>
    <label for="token">Token</label>
    <input id="token" type="password" autocomplete="current-password" autofocus value=${token} onInput=${(event) => setToken(event.target.value)} />
    <${Problem} of=${failed} />
    <button class="button primary" type="submit" disabled=${token.trim() === ''}>Log in</button>
  </form></main>`;
}
