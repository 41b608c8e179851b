/// pci.ids: a vendor's or class's line starts at the margin ("8086  Intel Corporation", "C 03
/// Display controller"), its devices follow after one tab, their subsystems after two.

#include "agent/kinds/pci/names.h"

#include "common/base/text.h"

namespace relab::agent::pci {

namespace {

struct Line {
  std::size_t tabs;
  std::string key;
  std::string_view name;
};

/// Key and name are parted by two blanks.
Line line_of(std::string_view text) {
  const auto tabs = std::min(text.find_first_not_of('\t'), text.size());
  text.remove_prefix(tabs);
  const auto gap = std::min(text.find("  "), text.size());
  return {.tabs = tabs, .key = std::string(text.substr(0, gap)), .name = trim(text.substr(gap))};
}

std::string class_key(const Ids& ids) { return "C " + ids.device_class.substr(0, 2); }

std::string subclass_key(const Ids& ids) {
  return class_key(ids) + " " +
         ids.device_class.substr(std::min<std::size_t>(2, ids.device_class.size()), 2);
}

std::string device_key(const Ids& ids) { return ids.vendor + " " + ids.device; }

std::string subsystem_key(const Ids& ids) {
  return device_key(ids) + " " + ids.subsystem_vendor + " " + ids.subsystem;
}

}  // namespace

void Names::want(const Ids& ids) {
  wanted_.insert(
      {ids.vendor, device_key(ids), subsystem_key(ids), class_key(ids), subclass_key(ids)});
}

void Names::take(const std::string& key, std::string_view name) {
  if (wanted_.contains(key)) names_.insert_or_assign(key, std::string(name));
}

Result<void> Names::read(std::string_view text) {
  std::string top;
  std::string middle;
  bool has_classes = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    const auto raw = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    if (trim(raw).empty() || raw[0] == '#') continue;
    const auto line = line_of(raw);
    if (line.tabs == 0) {
      top = line.key;
      has_classes = has_classes || top.starts_with("C ");
      take(top, line.name);
    } else if (line.tabs == 1) {
      middle = top + " " + line.key;
      take(middle, line.name);
    } else {
      take(middle + " " + line.key, line.name);
    }
  }
  // The classes stand at the end of the file.
  if (!has_classes) return fail(Fault::damaged, "this is not a whole pci.ids");
  return {};
}

std::string Names::find(const std::string& key) const {
  const auto found = names_.find(key);
  return found == names_.end() ? std::string() : found->second;
}

std::string Names::vendor(const Ids& ids) const { return find(ids.vendor); }
std::string Names::device(const Ids& ids) const { return find(device_key(ids)); }
std::string Names::subsystem(const Ids& ids) const { return find(subsystem_key(ids)); }
std::string Names::device_class(const Ids& ids) const {
  const auto subclass = find(subclass_key(ids));
  return subclass.empty() ? find(class_key(ids)) : subclass;
}

}  // namespace relab::agent::pci
