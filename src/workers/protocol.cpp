#include "workers/protocol.hpp"

#include <algorithm>

#include <weft/core/error.hpp>

#include "workers/bytes.hpp"
#include "workers/records.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// Of a call, without what has a size of its own.
constexpr std::size_t call_overhead_bytes = 64;
// A longer value gets its room at once.
constexpr std::size_t small_value_bytes = 1024;

// A frame whose payload is made by `fill`.
template <typename Fill>
void write_with(bytes& out, frame_type type, std::uint64_t id, Fill fill) {
  const std::size_t begin = wire::begin_frame(out, static_cast<std::uint8_t>(type), 0, id);
  byte_writer writer(out);
  fill(writer);
  wire::end_frame(out, begin);
}

byte_reader reader_of(const wire::frame& from) { return byte_reader(as_text(from.payload)); }

void write_optional(byte_writer& out, const std::optional<std::uint64_t>& value) {
  out.number(static_cast<std::uint8_t>(value ? 1 : 0));
  out.number(value.value_or(0));
}

std::optional<std::uint64_t> read_optional(byte_reader& in) {
  const bool there = in.number<std::uint8_t>() != 0;
  const auto value = in.number<std::uint64_t>();
  return there ? std::optional(value) : std::nullopt;
}

void write_optional(byte_writer& out, std::optional<int> value) {
  write_optional(out, value ? std::optional(static_cast<std::uint64_t>(std::int64_t{*value})) : std::nullopt);
}

std::optional<int> read_optional_int(byte_reader& in) {
  const auto value = read_optional(in);
  return value ? std::optional(static_cast<int>(static_cast<std::int64_t>(*value))) : std::nullopt;
}

void write(byte_writer& out, const process::restrictions& from) {
  write_optional(out, from.niceness);
  write_optional(out, from.oom_score_adj);
  out.number(static_cast<std::uint8_t>(from.no_new_privileges ? 1 : 0));
  out.number(from.calls);
}

process::restrictions read_restrictions(byte_reader& in) {
  process::restrictions into;
  into.niceness = read_optional_int(in);
  into.oom_score_adj = read_optional_int(in);
  into.no_new_privileges = in.number<std::uint8_t>() != 0;
  into.calls = in.number<process::system_calls>();
  if (into.calls > process::system_calls::no_exec_no_network) {
    throw error(errc::malformed, "workers: read the settings of a worker: unknown set of system calls");
  }
  return into;
}

void write(byte_writer& out, const worker_settings& from) {
  out.text(from.name);
  out.number(std::int64_t{from.hung_after.count()});
  out.number(from.stack_bytes);
  write_optional(out, from.limits.memory_bytes);
  const auto& cpu = from.limits.cpu_time;
  write_optional(out, cpu ? std::optional<std::uint64_t>(cpu->count()) : std::nullopt);
  write_optional(out, from.limits.open_files);
  write_optional(out, from.limits.file_bytes);
  write_optional(out, from.limits.core_bytes);
  write(out, from.restrictions);
  out.number(std::uint64_t{from.recycle.checkouts_max});
  out.number(std::int64_t{from.recycle.age_max.count()});
  out.number(from.recycle.resident_bytes_max);
  out.number(from.stacks);
}

worker_settings read_settings(byte_reader& in) {
  worker_settings into;
  into.name = in.owned_text();
  into.hung_after = std::chrono::nanoseconds(in.number<std::int64_t>());
  into.stack_bytes = in.number<std::uint64_t>();
  into.limits.memory_bytes = read_optional(in);
  if (const auto cpu = read_optional(in)) into.limits.cpu_time = std::chrono::seconds(*cpu);
  into.limits.open_files = read_optional(in);
  into.limits.file_bytes = read_optional(in);
  into.limits.core_bytes = read_optional(in);
  into.restrictions = read_restrictions(in);
  into.recycle.checkouts_max = in.number<std::uint64_t>();
  into.recycle.age_max = std::chrono::nanoseconds(in.number<std::int64_t>());
  into.recycle.resident_bytes_max = in.number<std::uint64_t>();
  into.stacks = std::min(in.number<workers::error_stacks>(), workers::error_stacks::names);
  return into;
}

void write(byte_writer& out, const closure_refusal& from) {
  out.number(from.reason);
  out.text(from.message);
  out.text(from.stored_schema);
  out.text(from.schema);
  out.text(from.build_id);
}

closure_refusal read_refusal(byte_reader& in) {
  closure_refusal into;
  into.reason = in.number<closure_refusal_reason>();
  into.message = in.owned_text();
  into.stored_schema = in.owned_text();
  into.schema = in.owned_text();
  into.build_id = in.owned_text();
  return into;
}

}  // namespace

void write_frame(bytes& out, const hello_frame& from) {
  write_with(out, frame_type::hello, 0, [&](byte_writer& payload) {
    payload.number(from.version);
    payload.number(from.message_bytes_max);
    payload.text(from.build_id);
    payload.number(static_cast<std::uint8_t>(from.same_build_only ? 1 : 0));
    write(payload, from.settings);
    payload.text(from.nonce);
  });
}

hello_frame read_hello(const wire::frame& from) {
  auto in = reader_of(from);
  hello_frame into;
  into.version = in.number<std::uint32_t>();
  // Another version may go on in another way; it is refused by its number.
  if (into.version != protocol_version) return into;
  into.message_bytes_max = in.number<std::uint64_t>();
  into.build_id = in.owned_text();
  into.same_build_only = in.number<std::uint8_t>() != 0;
  into.settings = read_settings(in);
  into.nonce = in.owned_text();
  return into;
}

void write_frame(bytes& out, const challenge_frame& from) {
  write_with(out, frame_type::challenge, 0, [&](byte_writer& payload) {
    payload.text(from.nonce);
    payload.text(from.envelope);
  });
}

challenge_frame read_challenge(const wire::frame& from) {
  auto in = reader_of(from);
  challenge_frame into;
  into.nonce = in.owned_text();
  into.envelope = in.owned_text();
  return into;
}

void write_proof(bytes& out, std::string_view envelope) {
  write_with(out, frame_type::proof, 0, [&](byte_writer& payload) { payload.text(envelope); });
}

std::string read_proof(const wire::frame& from) { return reader_of(from).owned_text(); }

void write_status_request(bytes& out, std::string_view nonce) {
  write_with(out, frame_type::status, 0, [&](byte_writer& payload) { payload.text(nonce); });
}

std::string read_status_nonce(const wire::frame& from) { return reader_of(from).owned_text(); }

void write_frame(bytes& out, const welcome_frame& from) {
  write_with(out, frame_type::welcome, 0, [&](byte_writer& payload) {
    payload.number(from.version);
    payload.number(from.message_bytes_max);
    payload.text(from.build_id);
    payload.number(from.pid);
    payload.number(static_cast<std::uint8_t>(from.wants_release ? 1 : 0));
  });
}

welcome_frame read_welcome(const wire::frame& from) {
  auto in = reader_of(from);
  welcome_frame into;
  into.version = in.number<std::uint32_t>();
  into.message_bytes_max = in.number<std::uint64_t>();
  into.build_id = in.owned_text();
  into.pid = in.number<std::int64_t>();
  into.wants_release = in.number<std::uint8_t>() != 0;
  return into;
}

void write_frame(bytes& out, const call_frame& from) {
  out.reserve(out.size() + call_overhead_bytes + from.context.size() + from.target.size() +
              from.arguments.size());
  write_with(out, frame_type::call, from.id, [&](byte_writer& payload) {
    payload.number(from.remaining ? std::int64_t{from.remaining->count()} : std::int64_t{-1});
    payload.number(from.kind);
    payload.number(static_cast<std::uint8_t>(from.has_link ? 1 : 0));
    payload.text(from.context);
    payload.text(from.target);
    payload.text(from.arguments);
  });
}

call_frame read_call(const wire::frame& from) {
  auto in = reader_of(from);
  call_frame into;
  into.id = from.request_id;
  if (const auto left = in.number<std::int64_t>(); left >= 0) into.remaining = std::chrono::nanoseconds(left);
  into.kind = in.number<call_kind>();
  if (into.kind > call_kind::written_closure)
    throw error(errc::malformed, "workers: read a call: unknown kind");
  into.has_link = in.number<std::uint8_t>() != 0;
  into.context = in.text();
  into.target = in.text();
  into.arguments = in.text();
  return into;
}

void write_frame(bytes& out, const reply_frame& from) {
  if (from.value.size() > small_value_bytes) out.reserve(out.size() + from.value.size() + small_value_bytes);
  write_with(out, from.type, from.id, [&](byte_writer& payload) {
    if (from.type == frame_type::answer) payload.text(from.value);
    if (from.type == frame_type::failed) write(payload, from.failure);
    if (from.type == frame_type::exited) payload.number(from.status);
    if (from.type == frame_type::declined) write(payload, from.refusal);
    write(payload, from.log);
  });
}

reply_frame read_reply(const wire::frame& from) {
  auto in = reader_of(from);
  reply_frame into;
  into.type = static_cast<frame_type>(from.type);
  into.id = from.request_id;
  if (into.type == frame_type::answer) into.value = in.text();
  if (into.type == frame_type::failed) into.failure = read_failure(in);
  if (into.type == frame_type::exited) into.status = in.number<std::int32_t>();
  if (into.type == frame_type::declined) into.refusal = read_refusal(in);
  into.log = read_log(in);
  return into;
}

void write_frame(bytes& out, const ask_frame& from) {
  write_with(out, frame_type::ask, from.id, [&](byte_writer& payload) {
    payload.number(static_cast<std::uint8_t>(from.is_about ? 1 : 0));
    payload.text(from.object);
    payload.text(from.message);
  });
}

ask_frame read_ask(const wire::frame& from) {
  auto in = reader_of(from);
  ask_frame into;
  into.id = from.request_id;
  into.is_about = in.number<std::uint8_t>() != 0;
  into.object = in.text();
  into.message = in.text();
  return into;
}

void write_frame(bytes& out, const told_frame& from) {
  write_with(out, frame_type::told, from.id, [&](byte_writer& payload) {
    payload.number(static_cast<std::uint8_t>(from.ok ? 1 : 0));
    if (from.ok) payload.text(from.answer);
    if (!from.ok) write(payload, from.failure);
  });
}

told_frame read_told(const wire::frame& from) {
  auto in = reader_of(from);
  told_frame into;
  into.id = from.request_id;
  into.ok = in.number<std::uint8_t>() != 0;
  if (into.ok) into.answer = in.text();
  if (!into.ok) into.failure = read_failure(in);
  return into;
}

void write_frame(bytes& out, const progress_frame& from) {
  write_with(out, frame_type::progress, from.id, [&](byte_writer& payload) {
    payload.number(from.done);
    payload.text(from.text);
  });
}

progress_frame read_progress(const wire::frame& from) {
  auto in = reader_of(from);
  progress_frame into;
  into.id = from.request_id;
  into.done = in.number<double>();
  into.text = in.text();
  return into;
}

void write_part(bytes& out, frame_type type, std::uint64_t id, std::span<const std::byte> part,
                bool is_last) {
  wire::append_frame(out, static_cast<std::uint8_t>(type), is_last ? 0 : more_follows, id, part);
}

void write_credit(bytes& out, frame_type type, std::uint64_t id, std::uint64_t taken) {
  write_with(out, type, id, [&](byte_writer& payload) { payload.number(taken); });
}

void write_rest(bytes& out, std::chrono::nanoseconds ends_after) {
  write_with(out, frame_type::rest, 0,
             [&](byte_writer& payload) { payload.number(std::int64_t{ends_after.count()}); });
}

std::chrono::nanoseconds read_rest(const wire::frame& from) {
  return std::chrono::nanoseconds(reader_of(from).number<std::int64_t>());
}

std::uint64_t read_credit(const wire::frame& from) { return reader_of(from).number<std::uint64_t>(); }

void write_refused(bytes& out, std::string_view why) {
  write_with(out, frame_type::refused, 0, [&](byte_writer& payload) { payload.text(why); });
}

std::string read_refused(const wire::frame& from) { return reader_of(from).owned_text(); }

void write_plain(bytes& out, frame_type type, std::uint64_t id) {
  wire::append_frame(out, static_cast<std::uint8_t>(type), 0, id, {});
}

}  // namespace weft::inline v1::workers::detail
