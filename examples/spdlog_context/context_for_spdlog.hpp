#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>

// What a program that logs with spdlog takes over into its own sources: the context values that are marked
// for logs, in each of its records.

/// A flag for patterns: the context of the task that logs, `app.user=7 app.request=r1`.
///
///     auto format = std::make_unique<spdlog::pattern_formatter>();
///     format->add_flag<context_flag>('*').set_pattern("%l %v | %*");
///     logger->set_formatter(std::move(format));
///
/// It works where records are formatted by who logs: in every logger but an asynchronous one.
class context_flag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& into) override;
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override;
};

/// For an asynchronous logger, whose thread formats and has no context: stands before it and puts the
/// context at the end of each message. Level and name are its own; sinks and pattern those of `behind`.
class context_logger final : public spdlog::logger {
 public:
  context_logger(std::string name, std::shared_ptr<spdlog::logger> behind);
  std::shared_ptr<spdlog::logger> clone(std::string name) override;

 protected:
  void sink_it_(const spdlog::details::log_msg& one) override;
  void flush_() override;

 private:
  std::shared_ptr<spdlog::logger> behind_;
};
