#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <weft/closure/closure.hpp>
#include <weft/codec/secret.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/json_value.hpp>

// How a call of the program becomes one that can be sent, in whatever form, and its answer a value.

namespace weft::inline v1::workers::detail {

/// What a call is sent as. The form of its arguments is known once there is a worker to ask.
struct call_request {
  bool is_closure = false;
  std::string_view target;  ///< name in the interface, or the closure's identity
  const void* arguments = nullptr;
  void (*encode)(const void* arguments, encoder& out) = nullptr;
};

/// What comes back, in the form that was spoken.
struct call_answer {
  bytes held = {};
  std::span<const std::byte> binary = {};  ///< in it
  std::optional<wire::json_value> json = {};
};

/// Text literals travel as strings.
template <typename Arg>
using sent_type =
    std::conditional_t<std::is_convertible_v<const Arg&, std::string_view>, std::string, std::decay_t<Arg>>;

template <typename Tuple>
void encode_arguments(const void* arguments, encoder& out) {
  const secrets_in_clear to_the_worker;
  weft::encode(out, *static_cast<const Tuple*>(arguments));
}

template <typename Closure>
void encode_closure_arguments(const void* closure, encoder& out) {
  const secrets_in_clear to_the_worker;
  static_cast<const Closure*>(closure)->encode_arguments(out);
}

template <typename Closure>
struct closure_traits;
template <typename Result>
struct closure_traits<closure<Result>> {
  using result = Result;
};
template <typename Closure>
using result_of = typename closure_traits<Closure>::result;

template <typename Result>
Result decode_answer(const call_answer& answer) {
  if constexpr (!std::is_void_v<Result>) {
    if constexpr (std::is_same_v<Result, wire::json_value>) {
      if (!answer.json && answer.binary.empty()) return {};  // of a function without a result
    }
    if (!answer.json) return wire::from_binary<Result>(answer.binary);
    wire::json_value_decoder in(*answer.json, wire::perl_json_style);
    return weft::decode<Result>(in);
  }
}

}  // namespace weft::inline v1::workers::detail
