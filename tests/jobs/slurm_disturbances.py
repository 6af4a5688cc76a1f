"""What clusters do to campaigns: each case disturbs one, whose state must be that of an undisturbed one in the end."""

import re
import shutil
import time

from fault_injection import expect
from slurm import BINARY, SCRIPT, wait_until
from slurm_campaigns import LABEL_OPTIONS, STATE_SAVED_S, CampaignTester, WaterDimers, run_by_hand, state_of


class Disturbances(CampaignTester):
    def undisturbed_chain(self):
        campaign = self.campaign("undisturbed")
        told = self.submit(campaign)
        expect(re.match(r"job \d+: sbatch ", told), f"submit says {told!r}")
        expect("nothing submitted" in self.submit(campaign), "a second chain was submitted")
        self.wait_for_end(campaign, "undisturbed")
        expect("nothing submitted" in self.submit(campaign), "a chain of a campaign that is over")

    def lost_nodes(self):
        """A node dies during select, during label, and during train."""
        for phase in ("select 2", "label", "train 2"):
            context = f"node lost in {phase}"
            campaign = self.campaign("lost-" + phase.replace(" ", "-"))
            mark = campaign.directory.with_suffix(".hang")
            if phase == "label":
                self.submit(campaign)
                job, node = wait_until(lambda: self.task_of(campaign, "sluice-label"), context)
                time.sleep(0.5)
            else:
                hanging = {"HANG_IN": phase, "HANG_MARK": str(mark), "SLUICE": self.wrapper()}
                self.submit(campaign, **hanging)
                node = self.wait_for_hang(campaign, mark, phase, hanging)
            mark.with_suffix(".hang.done").touch()
            self.cluster.lose_node(node)
            self.cluster.bring_back(node)
            self.wait_for_end(campaign, context)

    def requeued(self):
        campaign = self.campaign("requeued")
        mark = campaign.directory.with_suffix(".hang")
        self.submit(campaign, HANG_IN="evaluate 2", HANG_MARK=str(mark), SLUICE=self.wrapper())
        self.wait_for_hang(campaign, mark, "evaluate 2")
        mark.with_suffix(".hang.done").touch()
        job, _ = self.task_of(campaign, "sluice-run")
        self.cluster.run("scontrol", "requeue", job)
        self.wait_for_end(campaign, "requeued")
        text = (campaign.directory / f"jobs/run-{job}.log").read_text()
        expect("start 1 of job" in text and "start 0 of job" in text, f"requeued: the log says {text}")

    def cancelled(self):
        campaign = self.campaign("cancelled")
        self.submit(campaign)
        job, _ = wait_until(lambda: self.task_of(campaign, "sluice-label"), "a worker to cancel")
        own = {job["id"].split("_")[0] for job in self.status(campaign)["jobs"]}
        self.cluster.run("scancel", *own)
        wait_until(lambda: self.status(campaign)["jobs"] == [], "its jobs are gone", 30)
        expect(self.status(campaign)["next"] == "label", f"cancelled: {self.status(campaign)}")
        self.submit(campaign)
        self.wait_for_end(campaign, "cancelled")

    def lost_controller(self):
        """What was submitted in the last seconds before is lost with it, so the job that runs then is older."""
        campaign = self.campaign("controller")
        mark = campaign.directory.with_suffix(".hang")
        self.submit(campaign, HANG_IN="evaluate 2", HANG_MARK=str(mark), SLUICE=self.wrapper())
        self.wait_for_hang(campaign, mark, "evaluate 2")
        mark.with_suffix(".hang.done").touch()
        time.sleep(STATE_SAVED_S)
        job, _ = self.task_of(campaign, "sluice-run")
        self.cluster.script("kill-controller")
        time.sleep(1.0)
        self.cluster.script("start-controller")
        wait_until(lambda: self.cluster.state(job) == {"RUNNING"}, "the job runs on under the new controller")
        self.cluster.run("scontrol", "requeue", job)
        self.wait_for_end(campaign, "controller killed")

    def with_xtb(self):
        """A campaign whose workers run a real code."""
        if shutil.which("xtb") is None:
            print("with_xtb: left out, xtb is missing")
            return
        by_hand, chain = (WaterDimers(self.directory / f"xtb-{name}") for name in ("by-hand", "chain"))
        run_by_hand(by_hand)
        slow_reference, self.reference = self.reference, state_of(by_hand)
        self.submit(chain)
        self.wait_for_end(chain, "xtb")
        self.reference = slow_reference

    def lost_number(self):
        """The controller dies between the workers' submission and that of the run after them, and gives their
        numbers to somebody else's jobs, which the run then waits for."""
        campaign = self.campaign("lost-number")
        run_by_hand(campaign, rounds=3)
        path = f"{self.forgetful_sbatch()}:{self.cluster.environment['PATH']}"
        for _ in range(3):
            time.sleep(STATE_SAVED_S)
            # Workers that had begun would run on and keep their numbers from others on their nodes.
            self.submit(campaign, label_options=f"{LABEL_OPTIONS} --begin=now+600", PATH=path)
            foreign = [job for job, name, _, _ in self.cluster.jobs() if name == "foreign"]
            jobs = self.status(campaign)["jobs"]
            (run,) = [job for job in jobs if job["name"].startswith("sluice-run")]
            workers = [job["id"].split("_")[0] for job in jobs if job is not run]
            if run["lost"]:
                break
            print("lost number: the controller had saved all; once more", flush=True)
            self.cluster.run("scancel", run["id"], *workers, *foreign)
            wait_until(lambda: self.status(campaign)["jobs"] == [], "its jobs are gone", 30)
        expect(run["state"] == "PENDING" and run["lost"] and set(run["lost"]) <= set(foreign),
               f"lost number: {run} does not wait for {foreign}")
        text = self.cluster.run(BINARY, "status", "--campaign", campaign.directory)
        expect(f"job {run['id']} waits for job {', '.join(run['lost'])}, which Slurm has lost" in text, text)
        told = self.submit(campaign)
        expect(told.startswith(f"scancel {run['id']}\n"), f"lost number: submit says {told!r}")
        expect("nothing submitted" in self.submit(campaign), "lost number: two chains")
        if workers:
            self.cluster.run("scancel", *workers)
        self.wait_for_end(campaign, "lost number")
        self.cluster.run("scancel", *foreign)

    def forgetful_sbatch(self):
        """A folder with an sbatch before whose second kind of job the controller is killed."""
        folder = self.directory / "forgetful"
        folder.mkdir()
        script = f"{SCRIPT} %s-controller --port {self.cluster.port} >/dev/null\n"
        real = shutil.which("sbatch", path=self.cluster.environment["PATH"])
        (folder / "sbatch").write_text(
            "#!/bin/bash\nnumbers=$(grep -o 'afterany:[0-9:]*' <<<\"$*\")\nif [ -n \"$numbers\" ]; then\n" +
            script % "kill" + "sleep 0.5\n" + script % "start" +
            f"for ((i = 0; i < 8; i++)); do\nid=$({real} --parsable --job-name=foreign --nodes=1 --ntasks=1 --time=5 "
            "--output=/dev/null --wrap='sleep 200' </dev/null)\n"
            f"[ \"$id\" -lt \"${{numbers##*:}}\" ] || break\ndone\nfi\nexec {real} \"$@\"\n")
        (folder / "sbatch").chmod(0o755)
        return folder

    def begin_time_limit(self):
        """A run that hangs until Slurm ends it."""
        campaign = self.campaign("time-limit")
        mark = campaign.directory.with_suffix(".hang")
        # A signal that bash ignores in place of the one that would tell the run.
        told = self.submit(campaign, run_options="--nodes=1 --ntasks-per-node=2 --cpus-per-task=1 --time=1 "
                           "--nodelist=n4 --signal=B:URG@1",
                           HANG_IN="select 1", HANG_MARK=str(mark), SLUICE=self.wrapper())
        self.limited = campaign, mark, re.match(r"job (\d+)", told)[1]

    def time_limit(self):
        """A run that hears no signal is ended by Slurm; its chain, which ends with it, is submitted again."""
        campaign, mark, job = self.limited
        states = self.cluster.wait(job, 200)
        expect(states == {"TIMEOUT"}, f"time limit: {states}")
        expect(self.status(campaign)["jobs"] == [], "time limit: the chain goes on")
        mark.with_suffix(".hang.done").touch()
        self.submit(campaign)
        self.wait_for_end(campaign, "time limit")
