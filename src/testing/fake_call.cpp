#include "testing/fake_call.hpp"

#include <utility>

#include <weft/context/cancellation.hpp>

namespace weft::inline v1::testing::detail {

/// The function's end of the streams.
class fake_started_call::far_end final : public workers::caller {
 public:
  far_end(streams& shared, const std::function<void(const workers::progress&)>& on_progress)
      : streams_(shared), on_progress_(on_progress) {}
  ~far_end() { streams_.close(); }
  void say_progress(double done, std::string_view text) override {
    if (on_progress_) on_progress_({.done = done, .text = std::string(text)});
  }

 private:
  bool write_piece(std::span<const std::byte> piece) override {
    return streams_.from_function.push(bytes(piece.begin(), piece.end()));
  }
  void end_pieces() override { streams_.from_function.close(); }
  std::optional<bytes> read_piece() override { return streams_.to_function.pop(); }

  streams& streams_;
  const std::function<void(const workers::progress&)>& on_progress_;
};

fake_started_call::fake_started_call(fake_pool& pool, fake_pool::written_call what,
                                     std::function<void(const workers::progress&)> on_progress) {
  running_ = weft::go([&pool, what = std::move(what), told = std::move(on_progress), shared = streams_] {
    far_end caller(*shared, told);
    return pool.answer(what, caller);
  });
}

// Given up where its answer was not taken. Its worker is another's, and the pool may end, only after the
// function.
fake_started_call::~fake_started_call() {
  if (!running_.joinable()) return;
  running_.cancel();
  streams_->close();
  try {
    shield([this] { running_.join(); });
  } catch (...) {  // nobody wants to know how it ended
  }
}

// Pieces that nobody read are passed over.
workers::detail::call_answer fake_started_call::take_answer() {
  end_pieces();
  while (streams_->from_function.pop()) {
  }
  return running_.join();
}

bool fake_started_call::write_piece(std::span<const std::byte> piece) {
  return streams_->to_function.push(bytes(piece.begin(), piece.end()));
}

}  // namespace weft::inline v1::testing::detail
