#include <algorithm>

#include <weft/http/form.hpp>
#include <weft/http/request.hpp>
#include <weft/http/status_error.hpp>

namespace weft::inline v1::http {

namespace {

std::string decoded(std::string_view text) {
  std::optional<std::string> value = percent_decode(text, true);
  if (!value) throw status_error(400, "a query or form is badly encoded: a '%' without two digits behind it");
  return std::move(*value);
}

}  // namespace

form_fields form_fields::parse(std::string_view text, const form_options& bounds) {
  if (text.size() > bounds.memory_bytes_max) throw status_error(413, "the form is too large");
  form_fields all;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    if (all.size() == bounds.fields_max) throw status_error(413, "the form has too many fields");
    if (pair.size() > bounds.field_bytes_max) throw status_error(413, "a field of the form is too large");
    const std::size_t equals = std::min(pair.find('='), pair.size());
    all.add(decoded(pair.substr(0, equals)), decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return all;
}

void form_fields::add(std::string name, std::string value) {
  fields_.push_back({std::move(name), std::move(value)});
}

std::optional<std::string_view> form_fields::first(std::string_view name) const noexcept {
  for (const form_field& one : fields_) {
    if (one.name == name) return one.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> form_fields::all(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const form_field& one : fields_) {
    if (one.name == name) found.emplace_back(one.value);
  }
  return found;
}

void detail::throw_missing_field(std::string_view name) {
  throw status_error(400, "the field " + std::string(name) + " is missing");
}

const uploaded_file* form::file(std::string_view field) const noexcept {
  for (const uploaded_file& one : files) {
    if (one.field() == field) return &one;
  }
  return nullptr;
}

uploaded_file* form::file(std::string_view field) noexcept {
  return const_cast<uploaded_file*>(std::as_const(*this).file(field));
}

}  // namespace weft::inline v1::http
