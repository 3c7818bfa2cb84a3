#include "room.hpp"

namespace chat {

std::string_view page() noexcept {
  return R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A room</title>
<ol id="said"></ol>
<form id="form"><input id="text" autofocus autocomplete="off" aria-label="what to say"></form>
<script>
const name = prompt('Your name?') || 'somebody';
const socket = new WebSocket(`ws://${location.host}/room?name=${encodeURIComponent(name)}`);
const show = text => { const one = document.createElement('li'); one.textContent = text; said.append(one); };
socket.onmessage = event => show(event.data);
socket.onclose = event => show(`the connection is closed (${event.code} ${event.reason})`);
form.onsubmit = event => { event.preventDefault(); socket.send(text.value); text.value = ''; };
</script>
</html>
)";
}

}  // namespace chat
