#include "agent/service/machine.h"

#include "common/base/file.h"
#include "common/base/text.h"

namespace relab::agent {

std::string machine_id(const crypto::Keys& keys) {
  const auto text = read_small_file("/etc/machine-id");
  auto id = text ? std::string(trim(*text)) : std::string();
  if (id.size() == 32) return id;
  return "key-" + hex(ByteView(keys.sign_key()).first(14));
}

std::string boot_id() {
  const auto text = read_small_file("/proc/sys/kernel/random/boot_id");
  return text ? std::string(trim(*text)) : "unknown";
}

}  // namespace relab::agent
