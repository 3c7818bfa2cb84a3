#include "jobs/job_secrets.hpp"

#include <weft/codec/secret.hpp>
#include <weft/wire/canonical.hpp>
#include <weft/wire/cipher.hpp>
#include <weft/wire/json.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view secret_purpose = "job.secret";

/// What a secret is bound to; whoever changes or copies one finds that it cannot be read.
bytes place_of(const job_envelope& job, std::size_t index) {
  wire::canonical_writer out;
#ifdef WEFT_BUG_5
  return out.data();
#endif
  out.integer(static_cast<std::int64_t>(job.id));
  out.text(job.tenant);
  out.text(job.queue);
  out.text(job.closure);
  out.unsigned_integer(index);
  return out.data();
}

/// Takes secrets out of the arguments while these are written.
class secret_collector final : public weft::detail::secret_writer {
 public:
  explicit secret_collector(detail::pushed_closure& into) : into_(into), arguments_(into.arguments) {}
  encoder& arguments() noexcept { return arguments_; }

  void write(encoder& out, const weft::detail::secret_value& secret) override {
    if (&out == inside_) return secret.write(out, secret.value);  // a secret in a secret
    if (&out != &arguments_) {
      throw error(errc::refused, "jobs: push \"" + into_.identity +
                                     "\": a codec writes a secret with an encoder of its own; it would not "
                                     "be encrypted");
    }
    std::string clear;
    wire::json_encoder to(clear);
    inside_ = &to;
    secret.write(to, secret.value);
    inside_ = nullptr;
    arguments_.text(hidden_secret.substr(1, hidden_secret.size() - 2));
    into_.secrets.push_back(
        {into_.arguments.size() - hidden_secret.size(), wire::secret_bytes(as_bytes(clear))});
    weft::detail::wipe(clear.data(), clear.size());
  }

 private:
  detail::pushed_closure& into_;
  wire::json_encoder arguments_;
  const encoder* inside_ = nullptr;
};

}  // namespace

void detail::write_arguments(pushed_closure& into, const void* closure, argument_writer write) {
  secret_collector collector(into);
  write(closure, collector.arguments());
}

void hide_secrets(job_envelope& job, const std::vector<detail::clear_secret>& secrets,
                  const wire::key_ring* keys) {
  if (secrets.empty()) return;
  if (keys == nullptr) {
    throw error(errc::refused,
                "jobs: push \"" + job.closure +
                    "\": an argument is a secret, and the queue has no keys to encrypt it; set "
                    "queue_options::secret_keys (it may be the ring that signs)");
  }
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    job.secrets.push_back(
        {secrets[i].place, wire::encrypt(*keys, secret_purpose, secrets[i].value.data(), place_of(job, i))});
  }
}

void reveal_secrets(job_envelope& job, const wire::key_ring* keys) {
  if (job.secrets.empty()) return;
  if (keys == nullptr) {
    throw error(errc::not_found, "jobs: open job " + to_string(job.id) +
                                     ": an argument is a secret, and the queue has no keys to read it; set "
                                     "queue_options::secret_keys");
  }
  std::string clear;
  std::size_t done = 0;
  for (std::size_t i = 0; i < job.secrets.size(); ++i) {
    const auto& one = job.secrets[i];
    const auto value = wire::decrypt(*keys, secret_purpose, one.sealed, place_of(job, i));
    clear.append(job.arguments, done, one.place - done).append(as_text(value.data()));
    done = one.place + hidden_secret.size();
  }
  clear.append(job.arguments, done);
  job.arguments = std::move(clear);
  job.secrets.clear();
}

}  // namespace weft::inline v1::jobs
