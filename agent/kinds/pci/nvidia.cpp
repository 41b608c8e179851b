#include "agent/kinds/pci/nvidia.h"

#include <fmt/format.h>

#include "agent/kinds/pci/devices.h"
#include "agent/kinds/support/gaps.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::pci {

namespace {

constexpr std::size_t columns = 8;

tl::unexpected<Error> not_understood(std::string_view line) {
  return fail(Fault::damaged, fmt::format("nvidia-smi printed '{}'", line));
}

/// "[N/A]" and "[Not Supported]" are answers, too.
template <typename Number>
Result<std::optional<Number>> value_of(std::string_view cell) {
  if (cell.starts_with('[')) return std::optional<Number>();
  RELAB_TRY(const auto number, parse_number<Number>(cell));
  return std::optional<Number>(number);
}

Result<Nvidia> card_from(std::string_view line) {
  auto cells = split(line, ',');
  if (cells.size() != columns) return not_understood(line);
  for (auto& cell : cells) cell = trim(cell);
  Nvidia card = {.address = normal_address(cells[0]),
                 .name = std::string(cells[1]),
                 .uuid = std::string(cells[2]),
                 .driver_version = std::string(cells[3])};
  const auto total = value_of<std::uint64_t>(cells[4]);
  const auto used = value_of<std::uint64_t>(cells[5]);
  const auto utilization = value_of<std::int16_t>(cells[6]);
  const auto temperature = value_of<std::int16_t>(cells[7]);
  if (card.address.empty() || !total || !used || !utilization || !temperature)
    return not_understood(line);
  card.memory_total = total->value_or(0);
  card.memory_used = used->value_or(0);
  card.utilization = *utilization;
  card.temperature = *temperature;
  return card;
}

}  // namespace

Result<std::vector<Nvidia>> parse_nvidia(std::string_view csv) {
  std::vector<Nvidia> cards;
  for (const auto line : lines(csv)) {
    RELAB_TRY(auto card, card_from(line));
    cards.push_back(std::move(card));
  }
  return cards;
}

Result<std::vector<Nvidia>> read_nvidia(Host& host) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"nvidia-smi",
                                      "--query-gpu=pci.bus_id,name,uuid,driver_version,"
                                      "memory.total,memory.used,utilization.gpu,temperature.gpu",
                                      "--format=csv,noheader,nounits"}}));
  return parse_nvidia(text);
}

}  // namespace relab::agent::pci
