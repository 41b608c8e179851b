#include "agent/kinds/guests/wishes.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>

#include "agent/kinds/support/pve_config.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

constexpr unsigned mebibyte_bits = 20;
constexpr unsigned gibibyte_bits = 30;
constexpr unsigned mounts_max = 256;

std::string value_in(const Settings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

/// A property string in which some keys can be set and all others stay, in their order. The default
/// key is written without its name where it comes first, as Proxmox does for volumes and devices.
class PropertyString {
 public:
  PropertyString(std::string_view text, std::string_view default_key)
      : default_key_(default_key), values_(Properties(text, default_key).all()) {}

  std::string value(std::string_view key) const {
    const auto found = std::ranges::find(values_, key, &Value::first);
    return found == values_.end() ? std::string() : found->second;
  }
  /// Empty: takes it away.
  void set(std::string_view key, const std::string& value) {
    const auto found = std::ranges::find(values_, key, &Value::first);
    if (value.empty() && found != values_.end()) values_.erase(found);
    if (value.empty()) return;
    if (found != values_.end())
      found->second = value;
    else
      values_.emplace_back(key, value);
  }
  std::string text() const {
    std::string text;
    for (const auto& [key, value] : values_) {
      const bool bare = text.empty() && key == default_key_ && value.starts_with('/');
      text += fmt::format("{}{}", text.empty() ? "" : ",",
                          bare ? value : fmt::format("{}={}", key, value));
    }
    return text;
  }

 private:
  using Value = std::pair<std::string, std::string>;
  std::string default_key_;
  std::vector<Value> values_;
};

/// Gathers what differs.
class Differences {
 public:
  Differences(schema::Guest::Reader params, const Settings& settings)
      : params_(params), settings_(settings) {}

  Result<std::vector<Wish>> gather() && {
    want("cores", std::to_string(params_.getCores()));
    want("memory", std::to_string(params_.getMemory() >> mebibyte_bits));
    want("swap", std::to_string(params_.getSwap() >> mebibyte_bits));
    want("hostname", str(params_.getName()));
    if (params_.getNameserver().size() != 0) want("nameserver", str(params_.getNameserver()));
    want_flag("onboot", params_.getOnboot());
    want_order();
    want_features();
    want_card();
    RELAB_CHECK(want_mounts());
    RELAB_CHECK(want_devices());
    return std::move(wishes_);
  }

 private:
  void wish(const std::string& key, std::string value) {
    wishes_.push_back({key, std::move(value)});
    taken_.insert(key);
  }
  void want(const std::string& key, const std::string& value) {
    if (value_in(settings_, key) != value) wish(key, value);
  }
  /// Proxmox leaves out what is false.
  void want_flag(const std::string& key, bool wanted) {
    const auto now = value_in(settings_, key);
    if ((now == "1") != wanted) wish(key, wanted ? "1" : "0");
  }

  void want_order() {
    PropertyString startup(value_in(settings_, "startup"), "order");
    const auto wanted = params_.getOrder() == 0 ? "" : std::to_string(params_.getOrder());
    if (startup.value("order") == wanted) return;
    startup.set("order", wanted);
    wish("startup", startup.text());
  }

  void want_features() {
    PropertyString features(value_in(settings_, "features"), "");
    const auto before = features.text();
    const auto want = [&](std::string_view key, bool wanted) {
      if ((features.value(key) == "1") != wanted) features.set(key, wanted ? "1" : "");
    };
    want("nesting", params_.getNesting());
    want("keyctl", params_.getKeyctl());
    if (features.text() != before) wish("features", features.text());
  }

  /// The whole card is replaced with the string: what is not told is lost, its address of hardware
  /// first.
  void want_card() {
    PropertyString card(value_in(settings_, "net0"), "");
    const auto before = card.text();
    if (card.value("name").empty()) card.set("name", "eth0");
    const auto want = [&](std::string_view key, const std::string& value) {
      if (card.value(key) != value) card.set(key, value);
    };
    want("bridge", str(params_.getBridge()));
    want("tag", std::to_string(params_.getTag()));
    want("ip", str(params_.getAddress()));
    want("gw", str(params_.getGateway()));
    if (card.text() != before) wish("net0", card.text());
  }

  std::optional<std::string> free_key(std::string_view prefix) const {
    for (unsigned i = 0; i < mounts_max; ++i) {
      auto key = fmt::format("{}{}", prefix, i);
      if (!settings_.contains(key) && !taken_.contains(key)) return key;
    }
    return {};
  }

  /// The key of the first mpN or devN whose string has this path.
  std::optional<std::string> key_with(std::string_view prefix, std::string_view default_key,
                                      std::string_view property, const std::string& path) const {
    for (const auto& [key, text] : settings_) {
      const auto [name, number] = split_key(key);
      if (name == prefix && number &&
          tidied(PropertyString(text, default_key).value(property)) == tidied(path))
        return key;
    }
    return {};
  }

  Result<void> want_mounts() {
    for (const auto mount : params_.getMounts()) {
      const auto target = str(mount.getTarget());
      auto key = key_with("mp", "volume", "mp", target);
      PropertyString point(key ? value_in(settings_, *key) : "", "volume");
      if (key && !point.value("volume").starts_with('/'))
        return refuse(fmt::format("{} at {} is the volume {}", *key, target, point.value("volume")),
                      "a volume is not replaced by a directory: move it away yourself");
      const auto before = point.text();
      const auto want = [&](std::string_view property, const std::string& path) {
        if (tidied(point.value(property)) != tidied(path)) point.set(property, path);
      };
      want("volume", str(mount.getSource()));
      want("mp", target);
      if ((point.value("ro") == "1") != mount.getReadOnly())
        point.set("ro", mount.getReadOnly() ? "1" : "");
      if (!key) key = free_key("mp");
      if (!key) return refuse("it has no room for another mount", "take one away");
      if (point.text() != before) wish(*key, point.text());
    }
    return {};
  }

  Result<void> want_devices() {
    for (const auto device : params_.getDevices()) {
      const auto path = str(device.getPath());
      auto key = key_with("dev", "path", "path", path);
      PropertyString node(key ? value_in(settings_, *key) : "", "path");
      const auto before = node.text();
      node.set("path", path);
      const auto gid = node.value("gid");
      if ((gid.empty() ? "0" : gid) != std::to_string(device.getGid()))
        node.set("gid", std::to_string(device.getGid()));
      const auto mode = node.value("mode");
      if ((mode.empty() ? "0660" : mode) != str(device.getMode()))
        node.set("mode", str(device.getMode()));
      if (!key) key = free_key("dev");
      if (!key) return refuse("it has no room for another device", "take one away");
      if (node.text() != before) wish(*key, node.text());
    }
    return {};
  }

  schema::Guest::Reader params_;
  const Settings& settings_;
  std::vector<Wish> wishes_;
  std::set<std::string> taken_;
};

}  // namespace

Result<std::vector<Wish>> wishes_for(schema::Guest::Reader params, const Settings& settings) {
  return Differences(params, settings).gather();
}

std::uint64_t disk_size_of(schema::Guest::Reader params) {
  const auto bytes = params.getDisk();
  const auto whole = bytes >> gibibyte_bits;
  return (whole << gibibyte_bits) == bytes ? whole : whole + 1;
}

}  // namespace relab::agent::guests
