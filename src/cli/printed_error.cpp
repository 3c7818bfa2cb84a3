#include "cli/printed_error.hpp"

#include <weft/jobs/view.hpp>
#include <weft/log/escape.hpp>
#include <weft/workers/errors.hpp>

namespace weft::inline v1::cli {

namespace {

void append_failure(std::string& out, const failure& from) {
  if (!from.type.empty() && from.type != "weft.error") log::append_escaped(out, from.type + ": ");
  log::append_escaped(out, from.message);
  if (from.code != errc::unknown) out.append(" (").append(to_string(from.code)).append(")");
  out += '\n';
  if (!from.where.empty()) {
    out += "  where: ";
    log::append_escaped(out, from.where);
    out += '\n';
  }
  for (const auto& one : from.causes) {
    out += "  caused by: ";
    append_failure(out, one);
  }
}

}  // namespace

std::string failure_text(const failure& from) {
  std::string out;
  append_failure(out, from);
  return out;
}

std::string error_text(const std::string& what, std::exception_ptr thrown) {
  std::string out = what + ": ";
  append_failure(out, failure::from(std::move(thrown)));
  return out;
}

std::string error_json(std::exception_ptr thrown) {
  auto made = jobs::error_value(failure::from(thrown));
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const workers::raised_value& raised) {
    made.set("value", raised.value());
  } catch (...) {  // no value: said already
  }
  return to_text(made);
}

}  // namespace weft::inline v1::cli
