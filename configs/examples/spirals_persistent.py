"""spirals.py as a program that stays: PyTorch is imported once, and every epoch is reported. For spirals_persistent.ini, or to
debug: archai-space configs/examples/spirals_persistent.ini sample | python3 configs/examples/spirals_persistent.py"""
import archai_program as archai
import torch

import spirals

for c in archai.candidates():
    torch.manual_seed(c.seed)
    model = spirals.build(c.params).to(c.device)
    size = sum(t.numel() for t in model.parameters())
    epochs = max(1, round(spirals.EPOCHS * c.budget))
    for epoch, (accuracy, loss) in enumerate(spirals.epochs(model, c.params, c.arch["batch_size"], epochs, c.device), 1):
        archai.report(epoch=epoch, epochs=epochs, val_accuracy=accuracy, val_loss=loss, parameters=size)
        if archai.should_stop():
            break
    archai.save_weights(model.state_dict())
    archai.result(val_accuracy=accuracy, parameters=size)
