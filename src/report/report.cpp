#include "report/report.hpp"

#include "campaign/pool_predictions.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/phase.hpp"
#include "labels/training_labels.hpp"
#include "pool/pool.hpp"
#include "report/advice.hpp"
#include "report/batch_view.hpp"
#include "report/campaign_files.hpp"
#include "report/distances.hpp"
#include "report/oracle_view.hpp"
#include "report/page.hpp"
#include "report/pool_view.hpp"
#include "report/quality.hpp"
#include "report/queue_view.hpp"
#include "report/report_data.hpp"
#include "report/report_json.hpp"
#include "report/report_summary.hpp"
#include "report/sampled_rows.hpp"
#include "report/test_view.hpp"

#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace sluice::report {
namespace {

std::string name_of(const std::string& directory) {
    char* resolved = ::realpath(directory.c_str(), nullptr);
    std::string path = resolved == nullptr ? directory : resolved;
    std::free(resolved);
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos || path.size() == 1 ? path : path.substr(slash + 1);
}

// One report, part by part. Rank 0 reads the campaign and writes the page; all ranks read the pool.
class Reporter {
  public:
    Reporter(const ReportRequest& request, comm::Communicator& world)
        : request_(request), world_(world) {}

    void run() {
        enter_phase("read campaign");
        read_campaign();
        enter_phase("read pool");
        attempt_together("pool", [&] { open_pool(); });
        attempt_together("scores of the pool", [&] {
            read_predictions();
            sample(task_);
        });
        if (pool_ && !sample_) attempt_together("map of the pool", [&] { sample(SampleTask{}); });
        enter_phase("read test rows");
        attempt_together("test rows", [&] { read_test(); });
        enter_phase("write report");
        world_.agree([&] {
            if (!world_.is_root()) return;
            describe();
            write();
        });
        enter_phase("done");
    }

  private:
    // What fails on all ranks alike is told on the page.
    void attempt_together(const std::string& part, const std::function<void()>& step) {
        try {
            step();
        } catch (const comm::AgreedError& error) {
            data_.gaps.push_back({part, error.what()});
        }
    }

    void attempt(const std::string& part, const std::function<void()>& step) {
        try {
            step();
        } catch (const Error& error) {
            data_.gaps.push_back({part, error.what()});
        }
    }

    void parse_spec() {
        if (place_.text.empty()) {
            data_.gaps.push_back(
                {"campaign file",
                 place_.file + ": is not there, so neither pool nor rules are known"});
            return;
        }
        attempt("campaign file",
                [&] { data_.spec = campaign::parse_campaign(place_.file, place_.text); });
    }

    void read_campaign() {
        world_.agree([&] {
            if (world_.is_root()) place_ = find_campaign(request_.campaign_path);
        });
        for (std::string* text : {&place_.directory, &place_.file, &place_.text})
            world_.broadcast(*text);
        parse_spec();
        world_.agree([&] {
            if (!world_.is_root()) return;
            data_.name = name_of(place_.directory);
            read_rounds(place_, data_);
            task_ = sample_task(data_, request_.sample_rows);
            test_path_ = path_of_test();
            data_.quality.full_data_model = path_of_full_data();
        });
        for (std::string* text :
             {&task_.score, &task_.input, &task_.model_path, &task_.predictions_path, &test_path_})
            world_.broadcast(*text);
        task_.most_rows = request_.sample_rows;
    }

    std::string path_of_test() const {
        if (data_.spec && !data_.spec->test.labels.empty()) return data_.spec->test.labels;
        const std::string drawn = place_.directory + "/test/labels";
        return path_status(drawn, Links::follow) ? drawn : std::string();
    }

    std::string path_of_full_data() const {
        if (!request_.full_data_path.empty()) return request_.full_data_path;
        const std::string usual = place_.directory + "/full-data.h5";
        return path_status(usual, Links::follow) ? usual : std::string();
    }

    void open_pool() {
        if (data_.spec) pool_ = pool::open_pool(data_.spec->pool, world_);
    }

    void read_predictions() {
        if (!pool_ || task_.predictions_path.empty()) return;
        campaign::replace_predictions(
            *pool_, campaign::open_predictions(task_.predictions_path, pool_->num_rows, world_));
    }

    void sample(const SampleTask& task) {
        SampleTask all = task;
        all.most_rows = request_.sample_rows;
        if (pool_) sample_ = sample_rows(*pool_, all, world_);
    }

    void read_test() {
        if (test_path_.empty()) return;
        const std::int64_t classes = data_.spec ? data_.spec->label.classes : 0;
        test_ =
            labels::read_training_set({{test_path_}}, pool_ ? &*pool_ : nullptr, classes, world_);
    }

    void describe() {
        if (pool_ && sample_) attempt("pool", [&] { describe_pool(*pool_, *sample_, data_); });
        const std::map<RowId, std::size_t> regions = regions_of_rows();
        if (pool_ && sample_) {
            attempt("distances", [&] {
                describe_distances(*pool_, *sample_, test_ ? &*test_ : nullptr, data_);
            });
        }
        attempt("test metric", [&] { judge_quality(test_ ? &*test_ : nullptr, data_); });
        if (test_) attempt("model on the test rows", [&] { view_test(*test_, data_); });
        attempt("oracle", [&] { view_oracle(regions, data_); });
        view_queues(data_);
        attempt("stop rules", [&] { advise(data_); });
        view_batch(regions, data_);
    }

    std::map<RowId, std::size_t> regions_of_rows() const {
        std::map<RowId, std::size_t> regions;
        const MapView& map = data_.pool.map;
        for (const auto* points : {&map.labeled, &map.failed, &map.chosen}) {
            for (const MapPoint& point : *points)
                regions[point.row] = region_of(map, point.x, point.y);
        }
        return regions;
    }

    void write() const {
        const std::string path =
            request_.page_path.empty() ? place_.directory + "/report.html" : request_.page_path;
        publish_text_file(path, page_text(data_));
        if (!request_.json_path.empty()) publish_text_file(request_.json_path, report_json(data_));
        const std::string text = summary_text(data_) + "report    " + path + "\n";
        const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
        require(written && std::fflush(stdout) == 0, ExitCode::io_error,
                "stdout: cannot write the summary (closed pipe or full disk); " + path +
                    " is complete");
    }

    const ReportRequest& request_;
    comm::Communicator& world_;
    CampaignPlace place_;
    ReportData data_;
    SampleTask task_;
    std::string test_path_;
    std::optional<pool::Pool> pool_;
    std::optional<SampledRows> sample_;
    std::optional<model::TrainingSet> test_;
};

}  // namespace

void make_report(const ReportRequest& request, comm::Communicator& world) {
    Reporter(request, world).run();
}

}  // namespace sluice::report
