#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/workers/running_call.hpp>

#include "testing/fake_pool.hpp"

namespace weft::inline v1::testing::detail {

/// The caller of a function that a plain call runs: nothing can be read from it, and nobody reads.
class fake_caller final : public workers::caller {
 public:
  explicit fake_caller(const std::function<void(const workers::progress&)>& on_progress)
      : on_progress_(on_progress) {}
  void say_progress(double done, std::string_view text) override {
    if (on_progress_) on_progress_({.done = done, .text = std::string(text)});
  }

 private:
  bool write_piece(std::span<const std::byte>) override { return true; }  // passed over, as by call()
  void end_pieces() override {}
  std::optional<bytes> read_piece() override { return std::nullopt; }

  std::function<void(const workers::progress&)> on_progress_;
};

/// A call that runs on a fiber of its own, with two streams to it.
class fake_started_call final : public workers::detail::started_call {
 public:
  fake_started_call(fake_pool& pool, fake_pool::written_call what,
                    std::function<void(const workers::progress&)> on_progress);
  ~fake_started_call() override;
  workers::detail::call_answer take_answer() override;

 private:
  static constexpr std::size_t pieces_max = 64;  // each way, on their way

  /// What both ends share; the function's may outlive the caller's.
  struct streams {
    channel<bytes> to_function{pieces_max};
    channel<bytes> from_function{pieces_max};
    void close() noexcept {
      to_function.close();
      from_function.close();
    }
  };
  class far_end;

  bool write_piece(std::span<const std::byte> piece) override;
  void end_pieces() override { streams_->to_function.close(); }
  std::optional<bytes> read_piece() override { return streams_->from_function.pop(); }

  const std::shared_ptr<streams> streams_ = std::make_shared<streams>();
  fiber<workers::detail::call_answer> running_;
};

}  // namespace weft::inline v1::testing::detail
