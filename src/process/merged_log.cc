#include "process/merged_log.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace isoenv {
namespace {

constexpr std::string_view kOwnName = "isoenv";

std::string time_of_day() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%06ld", local.tm_hour, local.tm_min,
                local.tm_sec, now.tv_nsec / 1000);
  return text;
}

std::string line_prefix(std::string_view name, std::size_t width) {
  std::string text = time_of_day() + " ";
  text += name;
  if (name.size() < width) text.append(width - name.size(), ' ');
  return text + " | ";
}

std::string count_of(std::uint64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace

MergedLog::MergedLog(const std::filesystem::path& file, std::size_t name_width)
    : file_(file, {.limit = 0,
                   .whole_lines = true,
                   .form =
                       [name_width](const std::string& remark) {
                         return line_prefix(kOwnName, name_width) + remark + "\n";
                       },
                   .tell = {}}),
      name_width_(name_width) {}

void MergedLog::limit(const std::string& name, std::uint64_t bytes, const std::string& elsewhere) {
  const auto [writer, added] = writers_.try_emplace(name);
  if (!added) return;
  writer->second.name = name;
  writer->second.room = bytes;
  writer->second.elsewhere = elsewhere;
}

void MergedLog::append(const std::string& name, std::string_view chunk) {
  Writer& writer = writers_[name];
  std::string& unfinished = writer.unfinished;
  const std::string start = line_prefix(name, name_width_);
  for (;;) {
    const std::size_t newline = chunk.find('\n');
    const std::size_t room = kLongestLine - unfinished.size();
    if (newline == std::string_view::npos && chunk.size() <= room) break;
    const bool whole = newline <= room;
    const std::string_view piece = chunk.substr(0, whole ? newline : room);
    const std::string_view mark = whole ? std::string_view() : kCut;
    if (unfinished.empty()) {
      add_line(start, writer, piece, mark);
    } else {
      unfinished.append(piece);
      add_line(start, writer, unfinished, mark);
      unfinished.clear();
    }
    chunk.remove_prefix(piece.size() + (whole ? 1 : 0));
  }
  unfinished.append(chunk);
  flush();
}

void MergedLog::finish(const std::string& name) {
  const auto found = writers_.find(name);
  if (found == writers_.end()) return;
  Writer& writer = found->second;
  if (!writer.unfinished.empty()) {
    add_line(line_prefix(name, name_width_), writer, writer.unfinished, {});
    writer.unfinished.clear();
  }
  flush();
  if (writer.left_out_lines != 0) {
    event(name +
          ": left out of this log: " + count_of(std::exchange(writer.left_out_lines, 0), "line") +
          ", " + count_of(std::exchange(writer.left_out_bytes, 0), "byte") + "; see '" +
          writer.elsewhere + "'");
  }
  file_.finish();
}

void MergedLog::event(std::string_view text) {
  text_ += line_prefix(kOwnName, name_width_);
  text_ += text;
  text_ += '\n';
  flush();
}

void MergedLog::add_line(const std::string& prefix, Writer& writer, std::string_view line,
                         std::string_view mark) {
  const std::size_t size = prefix.size() + line.size() + mark.size() + 1;
  if (writer.full || size > writer.room) {
    if (!std::exchange(writer.full, true)) {
      text_ += line_prefix(kOwnName, name_width_) + writer.name +
               ": its log_limit is reached here: its further lines are only in '" +
               writer.elsewhere + "'\n";
    }
    ++writer.left_out_lines;
    writer.left_out_bytes += line.size() + 1;
    return;
  }
  writer.room -= size;
  text_ += prefix;
  text_ += line;
  text_ += mark;
  text_ += '\n';
}

void MergedLog::flush() {
  file_.append(text_);
  text_.clear();
}

}  // namespace isoenv
