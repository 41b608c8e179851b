#include "common/log/log.h"

#include <cstdlib>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

namespace relab {

std::shared_ptr<spdlog::logger> make_log(const std::string& name, const std::string& level) {
  // systemd sets JOURNAL_STREAM for services whose output it takes.
  const bool journal =
      std::getenv("JOURNAL_STREAM") != nullptr && std::getenv("NOTIFY_SOCKET") != nullptr;
  std::shared_ptr<spdlog::logger> log;
  if (journal) {
    log = std::make_shared<spdlog::logger>(name,
                                           std::make_shared<spdlog::sinks::systemd_sink_mt>(name));
  } else {
    log = std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    log->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  }
  const auto wanted = spdlog::level::from_str(level);
  log->set_level(wanted == spdlog::level::off && level != "off" ? spdlog::level::info : wanted);
  log->flush_on(spdlog::level::debug);
  return log;
}

}  // namespace relab
