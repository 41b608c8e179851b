/// What `zpool status` and `zpool import` print for people: paragraphs "key: text", where the text
/// goes on in lines that start with a tab or eight blanks. The table below "config:" is Layout's.

#include <fmt/format.h>

#include "agent/kinds/zfs/layout.h"
#include "agent/kinds/zfs/status.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

/// ZFS 2.1 indents the keys of `zpool import` by up to five, a path in an error list by eight.
constexpr std::size_t key_indent_max = 6;

struct Paragraph {
  std::string_view key;
  std::string_view first;
  std::vector<std::string_view> more;

  std::string text() const { return one_line(fmt::format("{} {}", first, fmt::join(more, " "))); }
};

/// The key of a line that starts a paragraph, or nothing.
std::string_view key_of(std::string_view line) {
  const auto start = line.find_first_not_of(' ');
  if (start == std::string_view::npos || start > key_indent_max) return {};
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon <= start) return {};
  const auto key = line.substr(start, colon - start);
  const auto odd = key.find_first_not_of("abcdefghijklmnopqrstuvwxyz ");
  return odd == std::string_view::npos ? key : std::string_view();
}

tl::unexpected<Error> not_understood(std::string_view line) {
  return fail(Fault::damaged,
              fmt::format("zpool printed a line that is not understood: '{}'", one_line(line)));
}

Result<std::vector<Paragraph>> paragraphs_of(std::string_view text) {
  std::vector<Paragraph> paragraphs;
  for (const auto line : lines(text)) {
    const auto key = key_of(line);
    if (!key.empty()) {
      paragraphs.push_back(
          {.key = key, .first = trim(line.substr(line.find(':') + 1)), .more = {}});
    } else if (trim(line).empty() || (line.starts_with('\t') && !paragraphs.empty()) ||
               (line.starts_with("        ") && !paragraphs.empty())) {
      if (!paragraphs.empty()) paragraphs.back().more.push_back(line);
    } else {
      return not_understood(line);
    }
  }
  return paragraphs;
}

void read_errors(const Paragraph& paragraph, PoolStatus& pool) {
  if (paragraph.first == "No known data errors") {
    pool.data_errors = 0;
  } else if (paragraph.first.find(" data errors") != std::string_view::npos) {
    const auto count = paragraph.first.substr(0, paragraph.first.find(' '));
    if (const auto number = parse_number<std::uint64_t>(count)) pool.data_errors = *number;
  } else if (paragraph.first.starts_with("Permanent errors have been detected")) {
    std::uint64_t count = 0;
    for (const auto line : paragraph.more) {
      if (trim(line).empty()) continue;
      ++count;
      if (pool.damaged.size() < damaged_max) pool.damaged.emplace_back(trim(line));
    }
    // Announced and then not listed: that is not zero.
    if (count != 0) pool.data_errors = count;
  }
}

void read_scan(const Paragraph& paragraph, PoolStatus& pool) {
  std::string words(paragraph.first);
  for (const auto line : paragraph.more) words += fmt::format("\n{}", line);
  auto scan = parse_scan(words);
  if (!scan) return;
  // ZFS 2.2 prints scrubs of known errors alone under a key of their own.
  if (paragraph.key == "scrub") scan->function = "errorscrub";
  pool.scans.push_back(std::move(*scan));
}

void add_notice(const Paragraph& paragraph, PoolStatus& pool) {
  if (!pool.notices.empty()) pool.notices += "; ";
  pool.notices += fmt::format("{}: {}", paragraph.key, paragraph.text());
}

Result<void> read_layout(const Paragraph& paragraph, PoolStatus& pool) {
  Layout layout;
  for (const auto line : paragraph.more) {
    // `zpool import` ends the table with words about devices that it has not found.
    if (trim(line).starts_with("Additional devices are known")) {
      pool.notices = "additional devices are known to be part of this pool";
      break;
    }
    RELAB_CHECK(layout.add(line));
  }
  RELAB_TRY(pool.vdevs, std::move(layout).finish());
  return {};
}

std::string message_of(std::string_view link) {
  const auto slash = link.rfind('/');
  return std::string(slash == std::string_view::npos ? link : link.substr(slash + 1));
}

Result<void> read_paragraph(const Paragraph& paragraph, PoolStatus& pool) {
  if (paragraph.key == "config") return read_layout(paragraph, pool);
  if (paragraph.key == "id") {
    RELAB_TRY(pool.guid, parse_number<std::uint64_t>(paragraph.first));
  } else if (paragraph.key == "state") {
    pool.state = paragraph.text();
  } else if (paragraph.key == "status") {
    pool.status = paragraph.text();
  } else if (paragraph.key == "action") {
    pool.action = paragraph.text();
  } else if (paragraph.key == "see") {
    pool.message = message_of(paragraph.first);
  } else if (paragraph.key == "scan" || paragraph.key == "scrub") {
    read_scan(paragraph, pool);
  } else if (paragraph.key == "errors") {
    read_errors(paragraph, pool);
  } else {
    add_notice(paragraph, pool);
  }
  return {};
}

Result<void> check(const PoolStatus& pool) {
  if (pool.name.empty() || pool.state.empty() || pool.vdevs.empty())
    return fail(Fault::damaged,
                fmt::format("zpool printed pool '{}' without a state or layout", pool.name));
  return {};
}

}  // namespace

Result<std::vector<PoolStatus>> parse_status_text(std::string_view text) {
  std::vector<PoolStatus> pools;
  if (trim(text) == "no pools available") return pools;
  RELAB_TRY(const auto paragraphs, paragraphs_of(text));
  for (const auto& paragraph : paragraphs) {
    if (paragraph.key == "pool") {
      pools.push_back({.name = std::string(paragraph.first)});
    } else if (pools.empty()) {
      return not_understood(paragraph.first);
    } else {
      RELAB_CHECK(read_paragraph(paragraph, pools.back())
                      .during(fmt::format("reading pool {}", pools.back().name)));
    }
  }
  for (const auto& pool : pools) RELAB_CHECK(check(pool));
  return pools;
}

}  // namespace relab::agent::zfs
