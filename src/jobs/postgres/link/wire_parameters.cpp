#include "jobs/postgres/link/wire_parameters.hpp"

namespace weft::inline v1::jobs::postgres {

wire_parameters::wire_parameters(const parameters& of) {
  const std::size_t count = of.all_.size();
  types_.reserve(count);
  values_.reserve(count);
  lengths_.reserve(count);
  formats_.reserve(count);
  for (const auto& one : of.all_) {
    types_.push_back(static_cast<unsigned int>(one.type));
    values_.push_back(one.null ? nullptr : of.buffer_.data() + one.offset);
    lengths_.push_back(static_cast<int>(one.length));
    formats_.push_back(one.binary ? 1 : 0);
  }
}

}  // namespace weft::inline v1::jobs::postgres
