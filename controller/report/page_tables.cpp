#include "controller/report/page_tables.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "common/wire/message.h"
#include "controller/report/fields.h"
#include "controller/report/rows.h"

namespace relab::controller {

namespace {

using Json = nlohmann::json;

/// States that must be seen, as ZFS, systemd and others tell them.
bool is_alarming(const std::string& text) {
  static const std::set<std::string> states = {"DEGRADED", "FAULTED",   "OFFLINE", "UNAVAIL",
                                               "REMOVED",  "SUSPENDED", "failed",  "FAILED"};
  return states.contains(text);
}

class Tables {
 public:
  void add(const Contents& contents, const std::string& title) {
    add_scalars(contents.scalars, title);
    for (const auto& field : contents.structs) add(contents_of(field.value), field.name);
    for (const auto& field : contents.lists) add_list(field, field.name);
  }
  Json take() { return std::move(tables_); }

 private:
  void add_scalars(const std::vector<Named>& scalars, const std::string& title) {
    auto rows = Json::array();
    for (const auto& [name, shown] : scalars)
      if (!shown.blank) rows.push_back({name, shown.text});
    if (rows.empty()) return;
    tables_.push_back({{"title", title},
                       {"columns", Json::array({{{"title", "what"}, {"number", false}},
                                                {{"title", "value"}, {"number", false}}})},
                       {"rows", std::move(rows)}});
  }

  void add_list(const ListField& field, const std::string& title) {
    if (field.rows.size() == 0) return;
    const RowSet rows(rows_of(field.rows));
    auto columns = Json::array();
    for (std::size_t column = 0; column < rows.names().size(); ++column)
      columns.push_back({{"title", rows.names()[column]}, {"number", is_number(rows, column)}});
    auto cells = Json::array();
    auto alarms = Json::array();
    for (std::size_t row = 0; row < rows.size(); ++row) {
      auto texts = Json::array();
      for (const auto& cell : rows.cells(row)) texts.push_back(cell.text);
      if (std::ranges::any_of(rows.cells(row),
                              [](const auto& cell) { return is_alarming(cell.text); }))
        alarms.push_back(row);
      cells.push_back(std::move(texts));
    }
    if (!columns.empty())
      tables_.push_back({{"title", title},
                         {"columns", std::move(columns)},
                         {"rows", std::move(cells)},
                         {"alarms", std::move(alarms)}});
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (const auto& inner : rows.lists(row))
        add_list(inner, fmt::format("{} of {}", inner.name, rows.title(row)));
  }

  static bool is_number(const RowSet& rows, std::size_t column) {
    bool any = false;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto& cell = rows.cells(row)[column];
      if (!cell.blank && !cell.number) return false;
      any = any || !cell.blank;
    }
    return any;
  }

  Json tables_ = Json::array();
};

}  // namespace

Json page_tables(capnp::DynamicStruct::Reader facts) {
  Tables tables;
  tables.add(contents_of(facts), "values");
  return tables.take();
}

}  // namespace relab::controller
