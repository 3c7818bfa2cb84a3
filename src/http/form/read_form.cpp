#include <optional>
#include <utility>

#include <weft/http/multipart.hpp>
#include <weft/http/request.hpp>
#include <weft/http/status_error.hpp>

#include "http/form/file_writer.hpp"
#include "http/multipart/parser.hpp"
#include "http/parameters.hpp"

namespace weft::inline v1::http {

namespace {

/// Takes the parts of a body into a form.
class form_gatherer {
 public:
  form_gatherer(const request& in, const form_options& bounds)
      : parts_(in, {.parts_max = bounds.fields_max + bounds.files_max}), bounds_(bounds) {}

  form gather() {
    while (const multipart_part* const part = parts_.next()) {
      if (!part->file_name) {
        add_field(*part);
      } else if (bounds_.folder.empty()) {
        add_file_in_memory(*part);
      } else {
        add_file_on_disk(*part);
      }
    }
    return std::move(form_);
  }

 private:
  static uploaded_file::description described(const multipart_part& part) {
    return {part.name, *part.file_name, part.content_type};
  }

  void keep_in_memory(std::size_t bytes) {
    memory_bytes_ += bytes;
    if (memory_bytes_ > bounds_.memory_bytes_max) throw status_error(413, "the form is too large");
  }

  void add_field(const multipart_part& part) {
    if (form_.fields.size() == bounds_.fields_max) throw status_error(413, "the form has too many fields");
    keep_in_memory(part.name.size());
    std::string value;
    for (std::string_view piece; !(piece = parts_.read()).empty();) {
      if (part.name.size() + value.size() + piece.size() > bounds_.field_bytes_max)
        throw status_error(413, "a field of the form is too large");
      keep_in_memory(piece.size());
      value.append(piece);
    }
    form_.fields.add(part.name, std::move(value));
  }

  void check_file(std::uint64_t bytes) const {
    if (form_.files.size() == bounds_.files_max) throw status_error(413, "the form has too many files");
    if (bytes > bounds_.file_bytes_max) throw status_error(413, "a file of the form is too large");
  }

  /// Browsers send a part without name and content where no file was chosen.
  static bool is_chosen(const multipart_part& part, std::uint64_t bytes) noexcept {
    return bytes > 0 || !part.file_name->empty();
  }

  void add_file_in_memory(const multipart_part& part) {
    std::string contents;
    for (std::string_view piece; !(piece = parts_.read()).empty();) {
      check_file(contents.size() + piece.size());
      keep_in_memory(piece.size());
      contents.append(piece);
    }
    if (!is_chosen(part, contents.size())) return;
    check_file(contents.size());
    form_.files.emplace_back(described(part), std::move(contents));
  }

  void add_file_on_disk(const multipart_part& part) {
    std::string_view piece = parts_.read();
    if (!is_chosen(part, piece.size())) return;
    check_file(0);
    detail::file_writer written(bounds_.folder);
    for (; !piece.empty(); piece = parts_.read()) {
      check_file(written.size() + piece.size());
      written.write(piece);
    }
    uploaded_file::description about = described(part);
    const std::uint64_t size = written.size();
    form_.files.reserve(form_.files.size() + 1);  // from here on nothing fails
    form_.files.emplace_back(std::move(about), written.keep(), size);
  }

  multipart_reader parts_;
  const form_options& bounds_;
  form form_;
  std::size_t memory_bytes_ = 0;
};

/// The whole body, if that is not more than `most`.
std::string_view bounded_body(const request& in, std::size_t most, std::string& gathered) {
  if (!in.streams_body()) return in.body();
  for (std::string_view piece; !(piece = in.read_body()).empty();) {
    if (gathered.size() + piece.size() > most) throw status_error(413, "the form is too large");
    gathered.append(piece);
  }
  return gathered;
}

}  // namespace

form request::form(const form_options& options) const {
  const std::string_view type = header("Content-Type").value_or("");
  if (detail::multipart_boundary(type)) return form_gatherer(*this, options).gather();
  const auto parsed = detail::parse_parameters(type);
  if (!parsed || !same_name(parsed->value, "application/x-www-form-urlencoded"))
    throw status_error(415, "the body is no form");
  std::string gathered;
  http::form sent;
  sent.fields = form_fields::parse(bounded_body(*this, options.memory_bytes_max, gathered), options);
  return sent;
}

}  // namespace weft::inline v1::http
