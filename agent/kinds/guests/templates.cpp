#include "agent/kinds/guests/templates.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/json.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

const Path index_folder = "/var/lib/pve-manager/apl-info";
constexpr std::size_t index_size_max = std::size_t{4} << 20U;

std::string last_part(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Takes the digits at the beginning, without zeros before them.
std::string_view take_number(std::string_view& text) {
  while (text.starts_with('0') && text.size() > 1 && is_digit(text[1])) text.remove_prefix(1);
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const auto number = text.substr(0, length);
  text.remove_prefix(length);
  return number;
}

}  // namespace

bool is_older(std::string_view one, std::string_view other) {
  while (!one.empty() && !other.empty()) {
    if (is_digit(one[0]) && is_digit(other[0])) {
      const auto left = take_number(one);
      const auto right = take_number(other);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      continue;
    }
    if (one[0] != other[0]) return one[0] < other[0];
    one.remove_prefix(1);
    other.remove_prefix(1);
  }
  return one.empty() && !other.empty();
}

std::optional<Template> newest(const std::vector<Template>& all, std::string_view beginning) {
  std::optional<Template> best;
  for (const auto& known : all)
    if (known.file.starts_with(beginning) && (!best || is_older(best->file, known.file)))
      best = known;
  return best;
}

Result<std::vector<Template>> templates_on(Host& host, const std::string& storage) {
  const auto path = fmt::format("/nodes/localhost/storage/{}/content", storage);
  RELAB_TRY(const auto text, output_of(host, {.argv = {"pvesh", "get", path, "--content", "vztmpl",
                                                       "--output-format", "json"}}));
  RELAB_TRY(const auto list, parse_json(text, "pvesh get " + path));
  if (!list.is_array())
    return fail(Fault::damaged, fmt::format("pvesh get {} printed no list", path));
  std::vector<Template> templates;
  for (const auto& item : list) {
    const auto volid = text_of(item, "volid");
    // Proxmox itself filters; a version that does not is not believed.
    if (volid.find(":vztmpl/") == std::string::npos) continue;
    templates.push_back(
        {.file = last_part(volid), .volid = volid, .size = number_of(item, "size").value_or(0)});
  }
  return templates;
}

std::vector<Template> parse_template_index(std::string_view text) {
  std::vector<Template> templates;
  Template one;
  const auto close = [&] {
    if (!one.file.empty()) templates.push_back(std::move(one));
    one = {};
  };
  for (const auto line : split(text, '\n')) {
    if (trim(line).empty()) {
      close();
      continue;
    }
    // What continues a description is indented.
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with(' ')) continue;
    const auto key = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (key == "Location") one.file = last_part(value);
    if (key == "sha512sum") one.sha512 = std::string(value);
  }
  close();
  return templates;
}

Result<std::vector<Template>> templates_offered(Host& host) {
  std::vector<Template> all;
  const auto names = host.list(index_folder);
  if (!names && names.error().fault == Fault::missing) return all;
  if (!names) return fail(names.error());
  for (const auto& name : *names) {
    RELAB_TRY(const auto text, host.read_file(index_folder / name, index_size_max));
    auto some = parse_template_index(text);
    std::ranges::move(some, std::back_inserter(all));
  }
  return all;
}

}  // namespace relab::agent::guests
