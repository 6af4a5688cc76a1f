#pragma once

#include "queue/batch_reader.hpp"
#include "queue/exchange.hpp"

#include <string>
#include <string_view>
#include <vector>

// What the formats of people's tools are made from and read into.

namespace sluice::queue {

/// One item as a person gets it.
struct Task {
    std::string sluice_id;  ///< `BATCH:ITEM`
    TicketItem item;
    float score = 0.0F;
    std::string lease;  ///< name of the leased token
};

/// What one person said about one item.
struct Answer {
    enum class Kind { label, skip, none, unreadable };

    std::string where;  ///< `FILE:LINE` or `FILE: task N`
    std::string sluice_id;
    std::string lease;  ///< as exported; empty if the tool did not keep it
    std::string annotator;
    Kind kind = Kind::none;
    std::vector<double> y;
    bool is_class = false;
    double seconds = 0.0;  ///< spent on it
    std::string problem;   ///< of one that is unreadable
};

/// A file of answers.
struct AnswerSource {
    std::string path;  ///< for messages
    std::string text;
    std::vector<std::string> class_names;
};

/// One format: how tasks are written and answers are read.
struct Codec {
    ExchangeFormat about;
    std::string (*write)(const std::vector<Task>& tasks);
    std::vector<Answer> (*read)(const AnswerSource& source);
};

/// Throws Error(usage) naming the known formats.
const Codec& find_codec(const std::string& format);

std::string write_labelstudio(const std::vector<Task>& tasks);
std::vector<Answer> read_labelstudio(const AnswerSource& source);
std::string write_jsonl(const std::vector<Task>& tasks);
std::vector<Answer> read_jsonl(const AnswerSource& source);
std::string write_csv(const std::vector<Task>& tasks);
std::vector<Answer> read_csv(const AnswerSource& source);

/// `NAME-PROCESS-NONCE` of a lease, as in ItemResult::worker.
std::string holder_text(const Holder& holder);

/// True for a lease that a person has, by an export.
bool is_of_person(const Token& token);

/// Names of a task's inputs where they stand beside its other fields, so none has two.
std::vector<std::string> flat_input_names(const TicketItem& item);

/// Makes `answer` the class that `text` names: one of `class_names`, or without any a whole number.
void answer_class(Answer& answer, std::string_view text,
                  const std::vector<std::string>& class_names);

/// Makes `answer` a label of numbers, all of which must be finite.
void answer_numbers(Answer& answer, std::vector<double> numbers);

void answer_unreadable(Answer& answer, const std::string& problem);

}  // namespace sluice::queue
