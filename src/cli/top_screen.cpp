#include "cli/top_screen.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include <weft/log/escape.hpp>

#include "cli/age_text.hpp"
#include "cli/text_table.hpp"
#include "core/counted.hpp"

namespace weft::inline v1::cli {
namespace {

using jobs::shown_queue;

constexpr std::size_t workers_shown = 8;

/// The first `columns` characters of it.
std::string cut(const std::string& line, std::size_t columns) {
  const auto begins_one = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  std::size_t seen = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (begins_one(line[at]) && ++seen > columns) return line.substr(0, at);
  }
  return line;
}

std::int64_t ended(const shown_queue& one) { return one.done + one.dead + one.cancelled + one.quarantined; }

/// Jobs that somebody has to look at.
std::int64_t given_up(const shown_queue& one) { return one.dead + one.quarantined; }

/// Jobs that ended, each second. What was deleted meanwhile is not seen, so it is never below zero.
double rate_of(const shown_queue& now, const top_view& view) {
  const auto before = std::ranges::find(view.before->queues, now.queue, &shown_queue::queue);
  const std::int64_t then = before == view.before->queues.end() ? 0 : ended(*before);
  return static_cast<double>(std::max<std::int64_t>(0, ended(now) - then)) / view.between.count();
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 100 ? "%.1f" : "%.0f", value);
  return text;
}

std::string rate_text(const shown_queue& now, const top_view& view) {
  return view.before && view.between.count() > 0 ? number(rate_of(now, view)) : "-";
}

std::string head(const top_view& view) {
  shown_queue sum;
  double rate = 0;
  for (const auto& one : view.now.queues) {
    sum.ready += one.ready;
    sum.running += one.running;
    sum.scheduled += one.scheduled;
    sum.blocked += one.blocked;
    sum.dead += given_up(one);
    if (view.before && view.between.count() > 0) rate += rate_of(one, view);
  }
  std::string text = "weft top  " + log::escaped(view.database) + "  " + view.now.time +
                     (view.is_held ? "  held" : "") + '\n';
  text += std::to_string(sum.running) + " running, " + std::to_string(sum.ready) + " ready, " +
          std::to_string(sum.scheduled) + " scheduled, " + std::to_string(sum.blocked) + " blocked, " +
          std::to_string(sum.dead) + " dead; " + number(rate) + " end each second; " +
          counted(view.now.workers.size(), "worker") + '\n';
  if (!view.problem.empty()) text += "! " + log::escaped(view.problem) + '\n';
  return text;
}

std::string queues_of(const top_view& view) {
  auto queues = view.now.queues;
  const auto weight = [&](const shown_queue& one) {
    switch (view.order) {
      case top_order::ready:
        return one.ready;
      case top_order::running:
        return one.running;
      case top_order::dead:
        return given_up(one);
      case top_order::name:
        break;
    }
    return std::int64_t{0};
  };
  std::ranges::sort(queues, [&](const auto& one, const auto& other) {
    return std::pair(-weight(one), one.queue) < std::pair(-weight(other), other.queue);
  });
  std::vector<std::vector<std::string>> rows{
      {"QUEUE", "ENDED/S", "RUNNING", "READY", "SCHEDULED", "BLOCKED", "DONE", "DEAD", ""}};
  for (const auto& one : queues) {
    rows.push_back({log::escaped(one.queue), rate_text(one, view), std::to_string(one.running),
                    std::to_string(one.ready), std::to_string(one.scheduled), std::to_string(one.blocked),
                    std::to_string(one.done), std::to_string(given_up(one)), one.paused ? "paused" : ""});
  }
  return text_table(rows);
}

std::string workers_of(const top_view& view) {
  auto workers = view.now.workers;
  std::ranges::stable_sort(workers, std::greater{}, &jobs::shown_worker::running);
  std::vector<std::vector<std::string>> rows{{"WORKER", "PID", "HOLDS"}};
  for (const auto& one : workers) {
    if (rows.size() > workers_shown) {
      rows.push_back({"and " + std::to_string(workers.size() - workers_shown) + " more"});
      break;
    }
    rows.push_back({log::escaped(one.host), std::to_string(one.pid), std::to_string(one.running)});
  }
  return text_table(rows);
}

std::string jobs_of(const top_view& view) {
  std::vector<std::vector<std::string>> rows{{"JOB", "QUEUE", "AGE", "ATTEMPT", "CLOSURE"}};
  for (const auto& one : view.now.running) {
    rows.push_back({one.id, log::escaped(one.queue),
                    one.age_seconds ? age_text(std::chrono::seconds(*one.age_seconds)) : "-",
                    std::to_string(one.attempts + 1), log::escaped(one.closure)});
  }
  return text_table(rows);
}

}  // namespace

std::string top_screen(const top_view& view, std::size_t columns, std::size_t lines) {
  std::string whole = head(view) + '\n' + queues_of(view);
  if (!view.now.workers.empty()) whole += '\n' + workers_of(view);
  if (!view.now.running.empty()) whole += '\n' + jobs_of(view);
  std::string shown;
  for (std::size_t at = 0; at < whole.size() && lines > 0; --lines) {
    const auto end = whole.find('\n', at);
    shown += cut(whole.substr(at, end - at), columns) + '\n';
    at = end + 1;
  }
  return shown;
}

}  // namespace weft::inline v1::cli
