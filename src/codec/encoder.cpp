#include <weft/codec/encoder.hpp>

#include <weft/core/error.hpp>

namespace weft::inline v1 {

encoder::~encoder() = default;

void encoder::enter() {
  if (++depth_ > codec_depth_max) {
    throw error(errc::too_large, "encode: lists and objects are nested more than " +
                                     std::to_string(codec_depth_max) + " deep; make the value flatter");
  }
}

void encoder::begin_list(std::size_t count) {
  enter();
  open_list(count);
}

void encoder::end_list() {
  --depth_;
  close_list();
}

void encoder::begin_object(std::size_t count) {
  enter();
  open_object(count);
}

void encoder::end_object() {
  --depth_;
  close_object();
}

}  // namespace weft::inline v1
