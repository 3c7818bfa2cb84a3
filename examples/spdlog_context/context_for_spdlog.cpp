#include "context_for_spdlog.hpp"

#include <utility>

#include <weft/log/context_fields.hpp>

void context_flag::format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& into) {
  std::string text;
  weft::log::format_context(weft::log::context_fields(), text);
  into.append(text.data(), text.data() + text.size());
}

std::unique_ptr<spdlog::custom_flag_formatter> context_flag::clone() const {
  return std::make_unique<context_flag>();
}

context_logger::context_logger(std::string name, std::shared_ptr<spdlog::logger> behind)
    : logger(std::move(name)), behind_(std::move(behind)) {
  behind_->set_level(spdlog::level::trace);  // the one before it chooses
}

std::shared_ptr<spdlog::logger> context_logger::clone(std::string name) {
  return std::make_shared<context_logger>(std::move(name), behind_);
}

void context_logger::sink_it_(const spdlog::details::log_msg& one) {
  std::string text(one.payload.data(), one.payload.size());
  text += " | ";
  weft::log::format_context(weft::log::context_fields(), text);
  behind_->log(one.time, one.source, one.level, text);
}

void context_logger::flush_() { behind_->flush(); }
