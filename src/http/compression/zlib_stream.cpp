#include "http/compression/zlib_stream.hpp"

#include <zlib.h>
#include <algorithm>
#include <new>

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t step_bytes = 16 * 1024;
constexpr std::size_t input_bytes_max = 1 << 30;  // zlib counts in 32 bits
constexpr int memory_level = 8;                   // zlib's own default

int wrapped_bits(deflate_format format, int window_bits) noexcept {
  switch (format) {
    case deflate_format::gzip:
      return window_bits + 16;
    case deflate_format::raw:
      return -window_bits;
    default:
      return window_bits;
  }
}

Bytef* bytes_of(const char* text) noexcept {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text));
}

/// Room for at most `most` bytes behind `out`; shrunk to what was used by the destructor.
class output {
 public:
  output(z_stream& stream, std::string& out, std::size_t most)
      : stream_(stream), out_(out), before_(out.size()), room_(std::min(most, step_bytes)) {
    out_.resize(before_ + room_);
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data() + before_);
    stream_.avail_out = static_cast<uInt>(room_);
  }
  output(const output&) = delete;
  output& operator=(const output&) = delete;
  ~output() { out_.resize(before_ + used()); }

  std::size_t used() const noexcept { return room_ - stream_.avail_out; }
  bool is_full() const noexcept { return stream_.avail_out == 0; }

 private:
  z_stream& stream_;
  std::string& out_;
  std::size_t before_;
  std::size_t room_;
};

}  // namespace

deflater::deflater(deflate_format format, int level, int window_bits) : stream_(new z_stream{}) {
  const int bits = wrapped_bits(format, window_bits);
  if (::deflateInit2(stream_.get(), level, Z_DEFLATED, bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

deflater::~deflater() {
  if (stream_ != nullptr) ::deflateEnd(stream_.get());
}

void deflater::write(std::string_view in, flush how, std::string& out) {
  constexpr int modes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
  do {
    const std::string_view piece = in.substr(0, input_bytes_max);
    in.remove_prefix(piece.size());
    stream_->next_in = bytes_of(piece.data());
    stream_->avail_in = static_cast<uInt>(piece.size());
    const int mode = in.empty() ? modes[static_cast<unsigned>(how)] : Z_NO_FLUSH;
    for (bool is_done = false; !is_done;) {
      const output room(*stream_, out, step_bytes);
      const int said = ::deflate(stream_.get(), mode);
      is_done = !room.is_full() || said == Z_STREAM_END;
    }
  } while (!in.empty());
}

void deflater::restart() noexcept { ::deflateReset(stream_.get()); }

inflater::inflater(deflate_format format, int window_bits) : stream_(new z_stream{}) {
  if (::inflateInit2(stream_.get(), wrapped_bits(format, window_bits)) != Z_OK) throw std::bad_alloc();
}

inflater::~inflater() {
  if (stream_ != nullptr) ::inflateEnd(stream_.get());
}

inflater::outcome inflater::read(std::string_view& in, std::string& out, std::size_t most) {
  while (true) {
    if (most == 0) return outcome::full;
    const std::string_view piece = in.substr(0, input_bytes_max);
    stream_->next_in = bytes_of(piece.data());
    stream_->avail_in = static_cast<uInt>(piece.size());
    const output room(*stream_, out, most);
    const int said = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    in.remove_prefix(piece.size() - stream_->avail_in);
    most -= room.used();
    if (said == Z_STREAM_END) return outcome::end;
    if (said == Z_MEM_ERROR) throw std::bad_alloc();
    if (said != Z_OK && said != Z_BUF_ERROR) return outcome::malformed;
    if (in.empty() && !room.is_full()) return outcome::more;
  }
}

bool inflater::is_between_blocks() const noexcept {
  constexpr int between_blocks = 128;  // zlib.h, at Z_BLOCK
  return (stream_->data_type & between_blocks) != 0;
}

void inflater::restart() noexcept { ::inflateReset(stream_.get()); }

}  // namespace weft::inline v1::http::detail
