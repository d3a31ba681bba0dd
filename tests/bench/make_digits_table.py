#!/usr/bin/python3
"""Train every model of tests/bench/data/digits_cnn.ini and write tests/bench/data/digits_cnn.csv.

  make_digits_table.py BUILD/bin [--ranks 2] [--directory runs/digits_cnn] [--output CSV]

An interrupted run goes on where it stopped. Columns: archid; error_k and loss_k, share of the validation digits that are
misread and mean cross-entropy after k of the 4 epochs; error and loss, those of the last one; params; macs; seconds of the training.
"""
import argparse
import csv
import os
import pathlib
import subprocess

import h5py

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", help="directory of archai-run")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--directory", default="runs/digits_cnn")
    parser.add_argument("--output", default=HERE / "data" / "digits_cnn.csv")
    arguments = parser.parse_args()
    run = [os.path.join(arguments.bin, "archai-run"), str(HERE / "data" / "digits_cnn.ini"), "--resume",
           "--output", os.path.abspath(arguments.directory)]
    mpi = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(arguments.ranks)]
    # paths of the configuration are relative to the root of the sources
    subprocess.run((mpi if arguments.ranks > 1 else []) + run, cwd=HERE.parent.parent, check=True)

    with h5py.File(os.path.join(arguments.directory, "results.h5")) as f:
        archid, status = (f["candidates"][name].asstr()[()] for name in ("archid", "status"))
        assert set(status) == {"ok"}, status
        accuracy, loss = f["curves/val_accuracy"][()], f["curves/val_loss"][()]
        params, macs, seconds = f["objectives/params"][()], f["metrics/macs"][()], f["candidates/seconds"][()]
    epochs = accuracy.shape[1]
    rows = []
    for i in range(len(archid)):
        row = {"archid": archid[i]}
        for k in range(epochs):
            row[f"error_{k + 1}"] = f"{1 - float(accuracy[i, k]):.4f}"
            row[f"loss_{k + 1}"] = f"{float(loss[i, k]):.5f}"
        row.update(error=row[f"error_{epochs}"], loss=row[f"loss_{epochs}"], params=int(params[i]), macs=int(macs[i]),
                   seconds=f"{float(seconds[i]):.2f}")
        rows.append(row)
    rows.sort(key=lambda r: [int(part.split("=")[1]) for part in r["archid"].split(", ")])
    with open(arguments.output, "w", newline="") as f:
        writer = csv.DictWriter(f, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{arguments.output}: {len(rows)} models, {sum(float(r['seconds']) for r in rows):.0f} s of training")


main()
