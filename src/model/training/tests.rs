//! The table of a training: defaults, everything that can be said, faults.

use super::*;
use crate::model::augment;
use crate::schema::{Tree, read};

fn training(text: &str, shape: &[usize]) -> Result<Training, String> {
    let tree = Tree::parse("x.toml", text).unwrap();
    let axes = Axes { shape, has_bands: true };
    read(&tree, |fields| Training::read(fields, Some(axes)))
        .map(|(made, _)| made)
        .map_err(|faults| faults.to_string())
}

#[test]
fn defaults_are_kerass() {
    let text = "optimizer.adam = { learning_rate = 1e-4 }\nbatch_size = 32\nepochs = 400\n\
                early_stopping = { patience = 15 }\naugment = [\"time_reversal\"]";
    assert_eq!(
        training(text, &[130, 13]),
        Ok(Training {
            optimizer: Optimizer::adam(1e-4),
            schedule: Schedule::Constant,
            clip_norm: None,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Even,
            mixup: 0.0,
            ema: None,
            decay_only_kernels: false,
            batch_size: 32,
            epochs: 400,
            validate_every: 1,
            early_stopping: Some(EarlyStopping {
                monitor: Monitor::ValidLoss,
                patience: 15,
                min_delta: 0.0,
                restore_best: true
            }),
            augment: augment::tests::list("[\"time_reversal\"]"),
            crop: None,
            test_time_draws: 0,
        })
    );
    let rmsprop = training("optimizer.rmsprop = {}\nbatch_size = 64\nepochs = 1", &[21]);
    assert_eq!(rmsprop.unwrap().optimizer, Optimizer::rms_prop(0.001));
}

#[test]
fn everything_can_be_said() {
    let text = "optimizer.adamw = { learning_rate = 0.1 }\nbatch_size = 32\nepochs = 9\n\
                schedule.cosine = { warmup_epochs = 2 }\nclip_norm = 1\nmixup = 0.2\n\
                label_smoothing = 0.1\nclass_weights = [1, 2.5]\nvalidate_every = 3\n\
                early_stopping = { patience = 2, monitor = \"valid_accuracy\" }\n\
                ema = 0.99\ndecay_only_kernels = true";
    let read = training(text, &[21]).unwrap();
    let Optimizer::Adam { weight_decay, .. } = read.optimizer else { panic!("not Adam") };
    assert_eq!(weight_decay, 0.004);
    assert_eq!(read.schedule, Schedule::Cosine { warmup_epochs: 2, min_factor: 0.0 });
    assert_eq!((read.clip_norm, read.mixup, read.label_smoothing), (Some(1.0), 0.2, 0.1));
    assert_eq!(read.class_weights, ClassWeights::Given(vec![1.0, 2.5]));
    assert_eq!(read.validate_every, 3);
    assert_eq!((read.ema, read.decay_only_kernels), (Some(0.99), true));
    assert_eq!(read.early_stopping.unwrap().monitor, Monitor::ValidAccuracy);
    let sgd = "optimizer.sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = true }\n\
               batch_size = 1\nepochs = 1\nclass_weights = \"balanced\"\n\
               schedule.step = { every = 10, factor = 0.5 }";
    let read = training(sgd, &[21]).unwrap();
    assert!(matches!(read.optimizer, Optimizer::Sgd { nesterov: true, .. }));
    assert_eq!(read.class_weights, ClassWeights::Balanced);
    assert_eq!(read.schedule, Schedule::Step { every: 10, factor: 0.5 });
}

#[test]
fn faults_of_the_new_fields_say_what_is_allowed() {
    let text = "optimizer.sgd = { learning_rate = 0.1, momentum = 1 }\nbatch_size = 1\n\
                epochs = 2\nschedule.cosine = { warmup_epochs = 2 }\nclip_norm = 0\n\
                class_weights = \"even-ish\"\nearly_stopping = { patience = 1, monitor = \"loss\" }";
    assert_eq!(
        training(text, &[21]).unwrap_err(),
        "x.toml:1: optimizer.sgd.momentum must be a number in [0, 1), found 1\n\
         x.toml:4: schedule.cosine.warmup_epochs must be below training.epochs, 2, found 2\n\
         x.toml:5: clip_norm must be a number in (0, inf), found 0\n\
         x.toml:6: class_weights must be \"even\", \"balanced\" or a list of numbers in \
         (0, inf), one per class, found the text \"even-ish\"\n\
         x.toml:7: early_stopping.monitor must be `valid_loss`, `valid_accuracy`, `train_loss` \
         or `train_accuracy`, found the text \"loss\""
    );
}

#[test]
fn what_is_for_classes_only_is_unsuitable_for_others() {
    let text = "optimizer.sgd = { learning_rate = 0.1 }\nbatch_size = 1\nepochs = 1\n\
                label_smoothing = 0.1\nclass_weights = \"balanced\"\n\
                early_stopping = { patience = 2, monitor = \"train_accuracy\" }";
    let training = training(text, &[21]).unwrap();
    let said = |task| -> Vec<String> {
        training.unsuitable(task).iter().map(|(key, said)| format!("{key} {said}")).collect()
    };
    assert!(said(Task::Classes).is_empty());
    assert_eq!(
        said(Task::Tags),
        [
            "class_weights is for classes only, but the target is tags; leave it out",
            "early_stopping can't monitor `train_accuracy`, since the target is tags; use monitor = \
             \"train_loss\"",
        ]
    );
    assert_eq!(
        said(Task::Number)[1],
        "label_smoothing is for classes and tags only, but the target is a number; leave it out"
    );
    assert_eq!(said(Task::Number).len(), 3);
    assert!(
        Training { mixup: 1.0, ..Training::new(training.optimizer, 1, 1) }
            .unsuitable(Task::Number)
            .is_empty()
    );
}

#[test]
fn a_crop_is_what_augmentations_and_the_net_see() {
    let text = |more: &str| {
        format!(
            "optimizer.rmsprop = {{}}\nbatch_size = 1\nepochs = 1\ncrop = {{ frames = 20 }}\n{more}"
        )
    };
    let mask = text("augment = [{ mask = { frames = 19 } }]\ntest_time_augmentation.draws = 3");
    let read = training(&mask, &[30, 4]).unwrap();
    assert_eq!(read.crop, Some(Crop { frames: 20, hop: 20 }));
    assert_eq!((read.input_shape(&[30, 4]), read.test_time_draws), (vec![20, 4], 3));
    assert_eq!(
        training(&text("augment = [{ mask = { frames = 20 } }]"), &[30, 4]).unwrap_err(),
        "x.toml:5: augment[0].mask.frames is 20, but an example has 20 frames, which all could be \
         masked"
    );
    assert_eq!(
        training(&text("augment = [\"cutmix\"]\ntest_time_augmentation = { draws = 3 }"), &[19, 4])
            .unwrap_err(),
        "x.toml:4: crop.frames is 20, but an example has only 19 frames\n\
         x.toml:6: test_time_augmentation has no effect: training.augment has nothing that changes an \
         example by itself"
    );
}

#[test]
fn faults_say_what_is_allowed() {
    let text = "optimizer.adam = { learning_rate = 0, beta_1 = 1 }\nbatch_size = 0\n\
                augment = [\"time_reversal\"]";
    assert_eq!(
        training(text, &[21]).unwrap_err(),
        "x.toml:1: optimizer.adam.learning_rate must be a number in (0, inf), found 0\n\
         x.toml:1: optimizer.adam.beta_1 must be a number in [0, 1), found 1\n\
         x.toml:1: epochs is missing; expected an integer in [1, 1000000]\n\
         x.toml:2: batch_size must be an integer in [1, 65536], found 0\n\
         x.toml:3: augment[0].time_reversal needs a time axis: an example of shape [21] has none"
    );
}
