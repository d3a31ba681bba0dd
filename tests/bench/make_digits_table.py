#!/usr/bin/python3
"""Train every model of tests/bench/data/digits_cnn.ini and write tests/bench/data/digits_cnn.csv.

  make_digits_table.py BUILD/bin [--ranks 2] [--directory runs/digits_cnn] [--output CSV]

Every model is trained once for each k of 1, 2 and 4 epochs, from the beginning, and the schedule falls to 0 over these k: what
archai-run does with a budget of k. An interrupted run goes on where it stopped. Columns: archid; error_k and loss_k, share of the
validation digits that are misread and mean cross-entropy at the end of k epochs; error and loss, those of 4; params; macs; seconds of
all three trainings.
"""
import argparse
import csv
import os
import pathlib
import subprocess

import h5py

HERE = pathlib.Path(__file__).resolve().parent

EPOCHS = (1, 2, 4)
COLUMNS = ["archid", *(f"{name}_{k}" for k in EPOCHS for name in ("error", "loss")), "error", "loss", "params", "macs", "seconds"]


def train(arguments, epochs, directory):
    run = [os.path.join(arguments.bin, "archai-run"), str(HERE / "data" / "digits_cnn.ini"), "--resume",
           "--set", f"train.epochs={epochs}", "--output", directory]
    mpi = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(arguments.ranks)]
    # paths of the configuration are relative to the root of the sources
    subprocess.run((mpi if arguments.ranks > 1 else []) + run, cwd=HERE.parent.parent, check=True)


def add(rows, epochs, directory):
    """Columns of one number of epochs; the last one's are error and loss as well."""
    with h5py.File(os.path.join(directory, "results.h5")) as f:
        archid, status = (f["candidates"][name].asstr()[()] for name in ("archid", "status"))
        assert set(status) == {"ok"}, status
        accuracy, loss = f["curves/val_accuracy"][:, epochs - 1], f["curves/val_loss"][:, epochs - 1]
        params, macs, seconds = f["objectives/params"][()], f["metrics/macs"][()], f["candidates/seconds"][()]
    for i in range(len(archid)):
        row = rows.setdefault(archid[i], {"archid": archid[i], "seconds": 0.0})
        row[f"error_{epochs}"] = row["error"] = f"{1 - float(accuracy[i]):.4f}"
        row[f"loss_{epochs}"] = row["loss"] = f"{float(loss[i]):.5f}"
        row.update(params=int(params[i]), macs=int(macs[i]), seconds=row["seconds"] + float(seconds[i]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", help="directory of archai-run")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--directory", default="runs/digits_cnn")
    parser.add_argument("--output", default=HERE / "data" / "digits_cnn.csv")
    arguments = parser.parse_args()
    rows = {}
    for k in EPOCHS:
        directory = os.path.abspath(os.path.join(arguments.directory, str(k)))
        train(arguments, k, directory)
        add(rows, k, directory)
    rows = list(rows.values())
    for row in rows:
        row.update(seconds=f"{row['seconds']:.2f}")
    rows.sort(key=lambda r: [int(part.split("=")[1]) for part in r["archid"].split(", ")])
    with open(arguments.output, "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{arguments.output}: {len(rows)} models, {sum(float(r['seconds']) for r in rows):.0f} s of training")


main()
