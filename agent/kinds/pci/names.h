#pragma once

/// Names of PCI vendors, devices and classes out of the pci.ids file.

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab::agent::pci {

/// Numbers in lower-case hexadecimal without "0x".
struct Ids {
  std::string vendor;
  std::string device;
  std::string subsystem_vendor;
  std::string subsystem;
  /// Class, subclass and interface: six digits.
  std::string device_class;
};

/// The names of a few devices; all others of the file are passed over.
class Names {
 public:
  /// Asks for the names of a device; before `read`.
  void want(const Ids& ids);
  /// Takes what was asked for out of the file. Fault::damaged if the text is no whole pci.ids.
  Result<void> read(std::string_view text);

  /// Empty where the file has none.
  std::string vendor(const Ids& ids) const;
  std::string device(const Ids& ids) const;
  std::string subsystem(const Ids& ids) const;
  /// Of the subclass, or of the class.
  std::string device_class(const Ids& ids) const;

 private:
  void take(const std::string& key, std::string_view name);
  std::string find(const std::string& key) const;

  /// "8086", "8086 56a6", "8086 56a6 1849 6006", "C 03", "C 03 00".
  std::set<std::string> wanted_;
  std::map<std::string, std::string> names_;
};

}  // namespace relab::agent::pci
