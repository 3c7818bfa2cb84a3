// A library that is loaded and closed while the program runs, with a key and the type of its values.
#include <memory>
#include <string>
#include <utility>

#include <weft/context/context.hpp>

namespace {

struct badge {
  explicit badge(bool* gone) : gone_(gone) {}
  badge(badge&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
  badge& operator=(badge&&) = delete;
  ~badge() {
    if (gone_ != nullptr) *gone_ = true;
  }

 private:
  bool* gone_;
  std::string more_than_a_word_ = "so that it is in a box of its own";
};

constexpr weft::key_spec badge_spec{.name = "plugin.badge"};
const weft::key<badge> badge_key{badge_spec};

}  // namespace

/// A context with a value that says when it ends.
extern "C" weft::context* make_context(bool* gone) {
  return new weft::context(weft::context::current().with(badge_key, badge(gone)));
}
